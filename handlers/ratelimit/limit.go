package ratelimit

import (
	"fmt"

	"millstream/handlers"
	"millstream/handlers/store"
	"millstream/handlers/when"
	"millstream/protocol"
)

// A limit is a Limit in use. It is shared by all sessions.
type limit struct {
	*Limit
	filter *filter
	key    *key
	stage  handlers.Kind // when it is counted: at MAIL, at RCPT or at the end of the message
	most   int64         // in a window
	when   *when.Program // nil if it always counts
	window store.Window
	text   *wording // nil if nothing is said
	shelf  string   // the place of tallies
	counts *counts
}

// handler returns what l does, without its condition.
func (l *limit) handler() handlers.Handler {
	answers := l.action() != proceed && l.action() != quarantine
	var hs []handlers.Handler
	switch l.stage {
	case handlers.KindEnvelopeFrom:
		hs = append(hs, at(answers, l.mail))
	case handlers.KindEnvelopeRecipient:
		hs = append(hs, at(answers, l.recipient))
	default:
		hs = append(hs, handlers.On(l.end))
	}
	if l.action() == quarantine && l.stage != handlers.KindEndOfMessage {
		hs = append(hs, handlers.On(l.hold))
	}
	if l.Count == accepted {
		hs = append(hs, handlers.Observe(l.processed))
		if l.stage == handlers.KindEnvelopeRecipient {
			hs = append(hs, handlers.Observe(l.answered))
		}
	}
	if l.What == recipients && l.stage == handlers.KindEndOfMessage {
		hs = append(hs, handlers.Need(handlers.KindEnvelopeRecipient))
	}
	return handlers.Chain(hs...)
}

// at returns a handler of one kind of event. The MTA waits only where there may be an
// answer.
func at[E handlers.Answered](answers bool, f func(*handlers.Session, E) handlers.Reply) handlers.Handler {
	if answers {
		return handlers.On(f)
	}
	return handlers.Observe(func(s *handlers.Session, e E) { f(s, e) })
}

func (l *limit) mail(s *handlers.Session, c *protocol.MailFrom) handlers.Reply {
	return l.count(&question{s: s, sender: c.Mailbox()}, 1)
}

func (l *limit) recipient(s *handlers.Session, c *protocol.RcptTo) handlers.Reply {
	if l.Count == accepted && s.RcptRefused() {
		return handlers.Continue
	}
	return l.count(&question{s: s, sender: l.filter.sender(s), rcpt: c.Mailbox()}, 1)
}

func (l *limit) end(s *handlers.Session, m *handlers.Message) handlers.Reply {
	n := int64(1)
	switch l.What {
	case recipients:
		n = int64(len(s.Result().Recipients))
	case bytesSent:
		n = l.filter.size(s) + int64(len(m.Chunk()))
	}
	return l.count(&question{s: s, message: m, sender: l.filter.sender(s)}, n)
}

// hold holds a message that was over the limit before its end.
func (l *limit) hold(s *handlers.Session, m *handlers.Message) handlers.Reply {
	if t := l.tally(s, false); t != nil && t.reason != "" {
		m.Quarantine(t.reason)
	}
	return handlers.Continue
}

// count counts n, and answers what is over the limit.
func (l *limit) count(q *question, n int64) handlers.Reply {
	key, err := l.key.of(q)
	if err != nil {
		return handlers.Failed(fmt.Errorf("limit %q: %w", l.Name, err))
	}
	if key == "" || n == 0 {
		return handlers.Continue
	}
	var t *tally
	if l.keeps() {
		t = l.tally(q.s, true)
		t.open = ""
		if _, counted := t.charges[key]; counted && l.What == messages {
			return handlers.Continue
		}
	}
	total, within := l.filter.counters.Take(q.s.Context(), key, n, l.most, l.window)
	l.counts.decided(within)
	if !within {
		return l.over(q, key, n, total)
	}
	if t != nil {
		t.add(key, n, total.Ends)
	}
	return handlers.Continue
}

// over does what is to be done over the limit.
func (l *limit) over(q *question, key string, n int64, total store.Total) handlers.Reply {
	v := l.values(n, total)
	l.tell(q, key, v)
	switch l.action() {
	case discard:
		return handlers.Discard
	case quarantine:
		if q.message != nil {
			q.message.Quarantine(l.text.line(q.s, v))
		} else {
			l.tally(q.s, true).reason = l.text.line(q.s, v)
		}
	case tempFail, reject:
		return l.refusal(l.text.line(q.s, v))
	}
	return handlers.Continue
}
