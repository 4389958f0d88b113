package main

import (
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// Limits of what is kept of one message.
const (
	maxKeptText   = 256 // bytes of an address, a name, a queue id
	maxKeptReply  = 512 // bytes of a reply or an error
	maxKeptList   = 20  // recipients of each list
	maxKeptEvents = 64  // stages, and as many visits
	maxKeptErrors = 8
)

// A verdictIndex is what became of a message, as an index of verdictNames.
type verdictIndex uint8

const numVerdicts = 7

// verdictNames are the words for verdicts, which are those of metrics and traces.
var verdictNames = [numVerdicts]string{"continue", "accept", "reject", "tempfail", "discard", "quarantine", "abort"}

// verdictOfResult returns the verdict of a message.
func verdictOfResult(r *handlers.Result) verdictIndex {
	name := r.Status.String()
	switch {
	case r.Quarantined && (r.Status.IsPass() || r.Status == protocol.StatusAccept):
		name = "quarantine"
	case r.Status == protocol.StatusDefault:
		name = "continue"
	}
	for i, known := range verdictNames {
		if known == name {
			return verdictIndex(i)
		}
	}
	return 0 // skip and the like let the message pass
}

// A historyEntry is one message. Nothing of its content is in it: no header, no body.
// It does not change once it is made.
type historyEntry struct {
	id       uint64
	bytes    int // that it takes, roughly
	session  uint64
	peer     protocol.Addr
	listener string
	traceID  string
	spanID   string

	queueID string
	client  protocol.Addr
	host    string
	helo    string

	from                             string
	recipients, rejected, tempFailed keptList
	size                             uint64

	start                    time.Time
	elapsed, handled, waited time.Duration // all; in handlers; that the MTA waited

	verdict          verdictIndex
	state            protocol.State
	by, reply        string
	quarantineReason string
	changes          historyChanges

	stages []actors.Stage
	visits []actors.Visit
	errors keptList
}

// historyChanges are how often a message was changed, and never with what.
type historyChanges struct {
	from                         string
	headersAdded, headersRemoved int
	rcptsAdded, rcptsDeleted     int
	bodyBytes                    int64 // -1 if it was not replaced
}

// A keptList is the begin of a list, and how long that was.
type keptList struct {
	kept  []string
	total int
}

// newHistoryEntry returns what is kept of a message.
func newHistoryEntry(l *actors.Timeline) *historyEntry {
	r := l.Result
	if r == nil {
		r = &handlers.Result{NewBodySize: -1}
	}
	e := &historyEntry{
		session: l.Session, peer: keepAddr(l.Peer), listener: keep(l.Listener, maxKeptText),
		traceID: keep(l.TraceID, maxKeptText), spanID: keep(l.SpanID, maxKeptText),
		queueID: keep(l.QueueID, maxKeptText), client: keepAddr(l.Client), host: keep(l.Host, maxKeptText),
		helo: keep(l.Helo, maxKeptText), from: keep(r.From, maxKeptText),
		recipients: keepList(r.Recipients), rejected: keepList(r.Rejected), tempFailed: keepList(r.TempFailed),
		size: sizeOf(r), start: r.Start.Round(0), elapsed: r.Elapsed(), handled: r.HandlerTime,
		verdict: verdictOfResult(r), state: r.State, by: keep(r.By, maxKeptText),
		reply: keep(r.Reply, maxKeptReply), quarantineReason: keep(r.QuarantineReason, maxKeptReply),
		changes: historyChanges{
			from:         keep(r.ChangedFrom, maxKeptText),
			headersAdded: len(r.AddedHeaders), headersRemoved: len(r.RemovedHeaders),
			rcptsAdded: len(r.AddedRecipients), rcptsDeleted: len(r.DeletedRecipients), bodyBytes: r.NewBodySize,
		},
		stages: l.Stages[:min(len(l.Stages), maxKeptEvents)],
		visits: keepVisits(l.Visits), errors: keepErrors(l.Errors),
	}
	for i := range l.Stages {
		if s := &l.Stages[i]; !s.Silent {
			e.waited += s.Took
		}
	}
	e.bytes = e.weigh()
	return e
}

// weigh returns how many bytes the entry takes.
func (e *historyEntry) weigh() int {
	n := int(unsafe.Sizeof(*e)) + cap(e.stages)*int(unsafe.Sizeof(actors.Stage{})) + cap(e.visits)*int(unsafe.Sizeof(actors.Visit{}))
	for _, s := range []string{
		e.peer.Path, e.listener, e.traceID, e.spanID, e.queueID, e.client.Path, e.host, e.helo, e.from,
		e.by, e.reply, e.quarantineReason, e.changes.from,
	} {
		n += len(s)
	}
	for _, l := range []*keptList{&e.recipients, &e.rejected, &e.tempFailed, &e.errors} {
		for _, s := range l.kept {
			n += int(unsafe.Sizeof(s)) + len(s)
		}
	}
	return n
}

// keep returns the begin of a text. It is a copy: the text may be a piece of a
// larger one, which must not be kept with it.
func keep(s string, most int) string {
	if len(s) <= most {
		return strings.Clone(s)
	}
	const dots = "…"
	end := most - len(dots)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + dots
}

// keepAddr returns an address, cut where a hostile one may be long.
func keepAddr(a protocol.Addr) protocol.Addr {
	a.Path = keep(a.Path, maxKeptText)
	return a
}

// keepList returns the begin of a list of addresses.
func keepList(all []string) keptList {
	l := keptList{total: len(all)}
	for _, s := range all[:min(len(all), maxKeptList)] {
		l.kept = append(l.kept, keep(s, maxKeptText))
	}
	return l
}

// keepErrors returns the first errors as text.
func keepErrors(all []error) keptList {
	l := keptList{total: len(all)}
	for _, err := range all[:min(len(all), maxKeptErrors)] {
		l.kept = append(l.kept, keep(err.Error(), maxKeptReply))
	}
	return l
}

// keepVisits returns visits as they are unless they are more or longer than is kept.
func keepVisits(all []actors.Visit) []actors.Visit {
	all = all[:min(len(all), maxKeptEvents)]
	for i := range all {
		if len(all[i].Handler) > maxKeptText {
			all = append([]actors.Visit(nil), all...)
			break
		}
	}
	for i := range all {
		if len(all[i].Handler) > maxKeptText {
			all[i].Handler = keep(all[i].Handler, maxKeptText)
		}
	}
	return all
}
