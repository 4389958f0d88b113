package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"millstream/actors"
)

// Limits of a page of JSON, and of a text to search for.
const (
	statusPage    = 100
	maxStatusPage = 1000
	maxSearch     = 1000
)

// serveSummary tells what goes on in a few numbers.
func (s *status) serveSummary(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, http.StatusOK, s.summary())
}

// serveRates tells what each of the last seconds has brought.
func (s *status) serveRates(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, http.StatusOK, newRatesJSON(s.history.rates(historySpan)))
}

// serveSessions tells of the sessions that are alive.
func (s *status) serveSessions(w http.ResponseWriter, r *http.Request) {
	p := statusParams{values: r.URL.Query()}
	limit, after := p.limit(), p.number("after")
	order := p.word("order", "oldest", "newest", "pending", "idle")
	if p.failed(w) {
		return
	}
	all := s.sessions()
	reply := sessionsJSON{Total: len(all), Sessions: []sessionJSON{}}
	for i := range all {
		if all[i].Pending > 0 {
			reply.Pending++
		}
	}
	all = slices.DeleteFunc(all, func(i actors.Info) bool { return i.ID <= after })
	sortSessions(all, order)
	last := s.history.lastOfSessions()
	for i := range all[:min(len(all), limit)] {
		reply.Sessions = append(reply.Sessions, newSessionJSON(&all[i], last[all[i].ID]))
	}
	if order == "oldest" && len(all) > limit {
		reply.NextAfter = all[limit-1].ID
	}
	writeStatus(w, http.StatusOK, reply)
}

// sortSessions sorts sessions, which come oldest first.
func sortSessions(all []actors.Info, order string) {
	switch order {
	case "newest":
		slices.Reverse(all)
	case "pending":
		slices.SortStableFunc(all, func(a, b actors.Info) int { return cmp.Compare(b.Pending, a.Pending) })
	case "idle":
		slices.SortStableFunc(all, func(a, b actors.Info) int { return cmp.Compare(b.Idle, a.Idle) })
	}
}

// lastOfSessions returns the last message of each session that has had one.
func (h *history) lastOfSessions() map[uint64]*historyEntry {
	last := make(map[uint64]*historyEntry)
	for _, e := range h.entries() {
		if last[e.session] == nil {
			last[e.session] = e
		}
	}
	return last
}

// serveMessages tells of the last messages.
func (s *status) serveMessages(w http.ResponseWriter, r *http.Request) {
	p := statusParams{values: r.URL.Query()}
	q := &historyQuery{
		terms: parseTerms(p.search()), verdicts: p.verdicts(), handler: p.values.Get("handler"),
		before: p.number("before"), after: p.number("after"), limit: p.limit(),
	}
	if p.failed(w) {
		return
	}
	found, matched := s.history.search(q)
	reply := messagesJSON{Matched: matched, Kept: s.history.count().kept, Messages: []messageJSON{}}
	for _, e := range found {
		reply.Messages = append(reply.Messages, newMessageJSON(e))
	}
	if n := len(found); n == q.limit && q.after == 0 {
		reply.NextBefore = found[n-1].id
	}
	writeStatus(w, http.StatusOK, reply)
}

// serveMessage tells what happened to one message.
func (s *status) serveMessage(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		writeStatus(w, http.StatusBadRequest, errorJSON{"the number of a message is a number"})
		return
	}
	e := s.history.entry(id)
	if e == nil {
		writeStatus(w, http.StatusNotFound, errorJSON{"this message is not kept; only the last ones are"})
		return
	}
	writeStatus(w, http.StatusOK, newTimelineJSON(e))
}

// writeStatus answers with JSON.
func writeStatus(w http.ResponseWriter, code int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n')) // an error is that the client has gone
}

// statusParams reads the parameters of a request. The first that is wrong is kept.
type statusParams struct {
	values url.Values
	err    error
}

// failed answers for parameters that are wrong, and reports whether they are.
func (p *statusParams) failed(w http.ResponseWriter) bool {
	if p.err != nil {
		writeStatus(w, http.StatusBadRequest, errorJSON{p.err.Error()})
	}
	return p.err != nil
}

// number returns a parameter that is a number; 0 if it is not there.
func (p *statusParams) number(name string) uint64 {
	text := p.values.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		p.err = cmp.Or(p.err, fmt.Errorf("%s is no number", name))
	}
	return n
}

// limit returns how many rows are wanted.
func (p *statusParams) limit() int {
	n := p.number("limit")
	if n == 0 {
		return statusPage
	}
	return int(min(n, maxStatusPage))
}

// word returns a parameter that is one of some words; the first if it is not there.
func (p *statusParams) word(name string, words ...string) string {
	word := cmp.Or(p.values.Get(name), words[0])
	if !slices.Contains(words, word) {
		p.err = cmp.Or(p.err, fmt.Errorf("%s is none of %s", name, strings.Join(words, ", ")))
	}
	return word
}

// search returns the text to search for.
func (p *statusParams) search() string {
	q := p.values.Get("q")
	if len(q) > maxSearch {
		p.err = cmp.Or(p.err, errors.New("q is too long"))
		return ""
	}
	return q
}

// verdicts returns the verdicts that are wanted.
func (p *statusParams) verdicts() (list []string) {
	text := p.values.Get("verdict")
	if text == "" {
		return nil
	}
	for name := range strings.SplitSeq(text, ",") {
		if !slices.Contains(verdictNames[:], name) {
			p.err = cmp.Or(p.err, fmt.Errorf("verdict is none of %s", strings.Join(verdictNames[:], ", ")))
		}
		list = append(list, name)
	}
	return list
}
