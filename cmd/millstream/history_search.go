package main

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A historyQuery says which messages are wanted: those to which all of it applies.
type historyQuery struct {
	terms    []historyTerm
	verdicts []string // one of them; none is any
	handler  string   // its name, as a whole
	before   uint64   // only older ones; 0 is all
	after    uint64   // only newer ones
	limit    int
}

// A historyTerm is one word to search for.
type historyTerm struct {
	match func(*historyEntry, string) bool
	text  string // in lower case
}

// historyFields are the words that limit a term to a field, as in from:alice.
var historyFields = map[string]func(*historyEntry, string) bool{
	"qid":     (*historyEntry).matchQueueID,
	"from":    (*historyEntry).matchFrom,
	"rcpt":    (*historyEntry).matchRecipient,
	"client":  (*historyEntry).matchClient,
	"helo":    func(e *historyEntry, text string) bool { return holds(e.helo, text) },
	"verdict": func(e *historyEntry, text string) bool { return verdictNames[e.verdict] == text },
	"handler": (*historyEntry).matchHandler,
	"reply":   func(e *historyEntry, text string) bool { return holds(e.reply, text) },
	"session": func(e *historyEntry, text string) bool { return strconv.FormatUint(e.session, 10) == text },
	"trace":   func(e *historyEntry, text string) bool { return holds(e.traceID, text) },
	"error":   func(e *historyEntry, text string) bool { return e.errors.holds(text) },
}

// parseTerms returns the terms of a search: words, all of which are to be found, each
// anywhere or in the field before its colon.
func parseTerms(q string) (terms []historyTerm) {
	for word := range strings.FieldsSeq(strings.ToLower(q)) {
		if field, text, ok := strings.Cut(word, ":"); ok {
			if match := historyFields[field]; match != nil && text != "" {
				terms = append(terms, historyTerm{match, text})
				continue
			}
		}
		terms = append(terms, historyTerm{(*historyEntry).matchAny, word})
	}
	return terms
}

// search returns the messages that are wanted, newest first and not more than the
// limit, and how many there are without that.
func (h *history) search(q *historyQuery) (found []*historyEntry, matched int) {
	for _, e := range h.entries() {
		if !q.matches(e) {
			continue
		}
		matched++
		if len(found) < q.limit && (q.before == 0 || e.id < q.before) && e.id > q.after {
			found = append(found, e)
		}
	}
	return found, matched
}

// matches reports whether a message is wanted, wherever it stands.
func (q *historyQuery) matches(e *historyEntry) bool {
	if len(q.verdicts) > 0 && !slices.Contains(q.verdicts, verdictNames[e.verdict]) {
		return false
	}
	if q.handler != "" && !e.called(q.handler) {
		return false
	}
	for i := range q.terms {
		if t := &q.terms[i]; !t.match(e, t.text) {
			return false
		}
	}
	return true
}

// called reports whether a handler has seen the message or decided on it.
func (e *historyEntry) called(handler string) bool {
	if e.by == handler {
		return true
	}
	for i := range e.visits {
		if e.visits[i].Handler == handler {
			return true
		}
	}
	return false
}

func (e *historyEntry) matchAny(text string) bool {
	return e.matchQueueID(text) || e.matchFrom(text) || e.matchRecipient(text) || e.matchClient(text) ||
		holds(e.helo, text) || e.matchHandler(text) || verdictNames[e.verdict] == text ||
		holds(e.reply, text) || holds(e.quarantineReason, text) || holds(e.traceID, text) || e.errors.holds(text)
}

func (e *historyEntry) matchQueueID(text string) bool { return holds(e.queueID, text) }

func (e *historyEntry) matchFrom(text string) bool {
	return holds(e.from, text) || holds(e.changes.from, text)
}

func (e *historyEntry) matchRecipient(text string) bool {
	return e.recipients.holds(text) || e.rejected.holds(text) || e.tempFailed.holds(text)
}

// matchClient looks for a network, an address or a part of either or of the name.
func (e *historyEntry) matchClient(text string) bool {
	if holds(e.host, text) {
		return true
	}
	if !e.client.IP.IsValid() {
		return holds(e.client.Path, text)
	}
	if strings.Contains(text, "/") {
		net, err := netip.ParsePrefix(text)
		return err == nil && net.Contains(e.client.IP.Unmap().WithZone(""))
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Unmap() == e.client.IP.Unmap()
	}
	return holds(e.client.IP.String(), text)
}

func (e *historyEntry) matchHandler(text string) bool {
	if holds(e.by, text) {
		return true
	}
	for i := range e.visits {
		if holds(e.visits[i].Handler, text) {
			return true
		}
	}
	return false
}

// holds reports whether one of what is kept has a text in it.
func (l *keptList) holds(text string) bool {
	for _, s := range l.kept {
		if holds(s, text) {
			return true
		}
	}
	return false
}

// holds reports whether a text has another one, in lower case, in it.
func holds(s, lower string) bool { return strings.Contains(strings.ToLower(s), lower) }

// maxHandlerNames is how many names of handlers are told.
const maxHandlerNames = 100

// handlerNames returns the names of the handlers that the last messages have met.
func (h *history) handlerNames() []string {
	seen := make(map[string]bool)
	for _, e := range h.entries() {
		if e.by != "" {
			seen[e.by] = true
		}
		for i := range e.visits {
			seen[e.visits[i].Handler] = true
		}
		if len(seen) >= maxHandlerNames {
			break
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
