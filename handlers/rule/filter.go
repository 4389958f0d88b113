package rule

import (
	"fmt"
	"log/slog"
	"sync"

	"millstream/handlers"
	"millstream/protocol"
)

// filter asks the rules. It is shared by all sessions. At each event the rules up to there
// are asked again, as that costs less than to remember; what holds for a recipient is
// remembered.
type filter struct {
	rules []rule
	log   *slog.Logger
	key   string   // on the shelf
	said  sync.Map // changes that cannot be made and the log knows of
}

// newFilter returns the filter of rules without mistakes.
func newFilter(b *builder, log *slog.Logger) handlers.Handler {
	if log == nil {
		log = slog.Default()
	}
	f := &filter{rules: b.rules, log: log}
	f.key = fmt.Sprintf("rule %p", f)
	var hs []handlers.Handler
	var asked [end + 1]bool
	var each, subject, remove, refuses bool
	for i := range f.rules {
		r := &f.rules[i]
		asked[r.at] = asked[r.at] || !r.verdict.none() && !r.each
		each = each || r.each
		refuses = refuses || r.refuses() && r.at <= rcpt
		subject = subject || r.subject != nil
		remove = remove || len(r.remove) > 0
	}
	for at, is := range asked[:end] {
		if is {
			hs = append(hs, f.asking(handlers.Kind(at)))
		}
	}
	if each {
		hs = append(hs, f.recipients(refuses))
	}
	if remove {
		hs = append(hs, handlers.Need(rcpt))
	}
	if subject {
		hs = append(hs, WatchSubject())
	}
	return b.group.Around(handlers.Chain(append(hs, handlers.On(f.end))...))
}

// asking returns a handler that asks the rules at an event for the message as a whole.
func (f *filter) asking(at handlers.Kind) handlers.Handler {
	ask := func(s *handlers.Session) handlers.Reply {
		found, err := f.ask(s, at)
		return found.rule.reply(s, err)
	}
	switch at {
	case connect:
		return handlers.On(func(s *handlers.Session, _ *protocol.Connect) handlers.Reply { return ask(s) })
	case handlers.KindHelo:
		return handlers.On(func(s *handlers.Session, _ *protocol.Helo) handlers.Reply { return ask(s) })
	case mail:
		return handlers.On(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply { return ask(s) })
	case handlers.KindData:
		return handlers.On(func(s *handlers.Session, _ *protocol.Data) handlers.Reply { return ask(s) })
	case handlers.KindEndOfHeader:
		return handlers.On(func(s *handlers.Session, _ *protocol.EndOfHeader) handlers.Reply { return ask(s) })
	}
	return handlers.On(func(s *handlers.Session, _ *protocol.Body) handlers.Reply { return ask(s) })
}

// A finding is what the rules came to at an event.
type finding struct {
	rule *rule // whose action is to be taken; nil if there is none
	held []int // the rules that hold and change something
	stop int   // the rules from here on were not asked
}

// ask asks the rules that can be asked at an event, for the message as a whole. One about
// recipients holds if it does for any for whom no rule before has ended the rules.
func (f *filter) ask(s *handlers.Session, at handlers.Kind) (found finding, err error) {
	m := f.kept(s)
	ended := 0 // recipients
	for i := range f.rules {
		r := &f.rules[i]
		holds, err := r.asked(s, at, m, i)
		switch {
		case err != nil:
			return found, err
		case !holds:
			continue
		}
		if r.changes.any {
			found.held = append(found.held, i)
		}
		if r.ends && r.each {
			ended += m.held[i]
		}
		if !r.ends || r.each && ended < m.count {
			continue
		}
		if !r.each && !r.verdict.none() {
			found.rule = r
		}
		found.stop = i + 1
		return found, nil
	}
	found.stop = len(f.rules)
	return found, nil
}

// asked reports whether r, which is rule i, holds at an event for the message as a whole.
func (r *rule) asked(s *handlers.Session, at handlers.Kind, m *message, i int) (bool, error) {
	switch {
	case r.at > at:
		return false, nil
	case r.each:
		return m != nil && m.held[i] > 0, nil
	}
	return r.holds.Holds(s)
}

// recipients returns a handler that asks the rules for each recipient. The MTA waits for
// an answer only if there may be one.
func (f *filter) recipients(refuses bool) handlers.Handler {
	answers := handlers.Observe(func(s *handlers.Session, r *handlers.Response) {
		if r.To != rcpt {
			return
		}
		if m := f.kept(s); m != nil {
			m.answered(r)
		}
	})
	if refuses {
		return handlers.Chain(answers, handlers.On(func(s *handlers.Session, c *protocol.RcptTo) handlers.Reply {
			r, err := f.recipient(s, c)
			return r.reply(s, err)
		}))
	}
	return handlers.Chain(answers, handlers.Observe(func(s *handlers.Session, c *protocol.RcptTo) {
		if _, err := f.recipient(s, c); err != nil {
			f.message(s).err = err // the end of the message fails with it
		}
	}))
}

// message returns what is kept of a message, and begins to keep it.
func (f *filter) message(s *handlers.Session) *message {
	m := f.kept(s)
	if m == nil {
		m = &message{held: make([]int, len(f.rules))}
		s.Shelf().Set(f.key, m)
	}
	return m
}

// recipient asks the rules for the recipient under way, and notes those that hold. It
// returns one whose action is to be taken at once; nil if there is none.
func (f *filter) recipient(s *handlers.Session, c *protocol.RcptTo) (*rule, error) {
	if s.RcptRefused() {
		return nil, nil
	}
	m := f.message(s)
	m.begin()
	var noted []hold
	for i := range f.rules {
		r := &f.rules[i]
		if !r.each && (r.at > rcpt || !r.ends) {
			continue // it is asked later, or has no say
		}
		h, holds, err := r.askedEach(s, i)
		switch {
		case err != nil:
			return nil, err
		case !holds:
			continue
		case r.refuses():
			return r, nil
		case r.each:
			noted = append(noted, h)
		}
		if r.ends {
			break
		}
	}
	return nil, m.note(c.Addr, noted)
}

// askedEach asks r, which is rule i, for the recipient under way.
func (r *rule) askedEach(s *handlers.Session, i int) (h hold, holds bool, err error) {
	h.rule = i
	if holds, err = r.holds.Holds(s); holds && r.rewrite != nil {
		h.to, err = r.rewrite.Header(s)
	}
	return h, holds, err
}
