package access

import (
	"bytes"
	"fmt"

	"millstream/handlers"
	"millstream/handlers/lists"
	"millstream/protocol"
)

// A rule is a Rule in use.
type rule struct {
	subject
	stage handlers.Kind // when it is asked: not before the rules in front of it
	views []*lists.View[*verdict]
}

// filter asks the rules. It is shared by all sessions, and keeps nothing of them: at
// each stage the rules up to there are asked again, which costs less than to remember.
type filter struct {
	rules []rule
	key   string // on the shelf
}

// A message is what is kept on the shelf, for messages that have something to keep.
type message struct {
	senders []*verdict // of each rule about the sender; nil where no entry fits
	dropped []string   // recipients that are not to get it
}

// question is what is known of those that rules are about.
type question struct {
	s       *handlers.Session
	message *message // may be nil
	rcpt    protocol.View
}

// handler returns f as a handler of no more events than it needs.
func (f *filter) handler() handlers.Handler {
	f.key = fmt.Sprintf("access %p", f)
	about, asked := make(map[handlers.Kind]bool), make(map[handlers.Kind]bool)
	for _, r := range f.rules {
		about[r.subject.stage], asked[r.stage] = true, true
	}
	hs := []handlers.Handler{handlers.On(f.end)}
	if asked[handlers.KindConnect] {
		hs = append(hs, handlers.On(f.connect))
	} else if about[handlers.KindConnect] {
		hs = append(hs, handlers.Need(handlers.KindConnect))
	}
	if asked[handlers.KindHelo] {
		hs = append(hs, handlers.On(f.helo))
	} else if about[handlers.KindHelo] {
		hs = append(hs, handlers.Need(handlers.KindHelo))
	}
	if asked[handlers.KindEnvelopeFrom] {
		hs = append(hs, handlers.On(f.mail))
	} else if about[handlers.KindEnvelopeFrom] {
		hs = append(hs, handlers.Observe(func(s *handlers.Session, c *protocol.MailFrom) { f.findSender(s, c) }))
	}
	if asked[handlers.KindEnvelopeRecipient] {
		hs = append(hs, handlers.On(f.rcpt))
	}
	return handlers.Chain(hs...)
}

func (f *filter) connect(s *handlers.Session, _ *protocol.Connect) handlers.Reply {
	return f.answer(handlers.KindConnect, question{s: s})
}

func (f *filter) helo(s *handlers.Session, _ *protocol.Helo) handlers.Reply {
	return f.answer(handlers.KindHelo, question{s: s})
}

func (f *filter) mail(s *handlers.Session, c *protocol.MailFrom) handlers.Reply {
	return f.answer(handlers.KindEnvelopeFrom, question{s: s, message: f.findSender(s, c)})
}

func (f *filter) rcpt(s *handlers.Session, c *protocol.RcptTo) handlers.Reply {
	q := question{s: s, message: f.kept(s), rcpt: c.Mailbox()}
	v, err := f.decide(handlers.KindEnvelopeRecipient, q)
	if v != nil && v.action == discard {
		if q.message == nil {
			q.message = &message{}
			s.Shelf().Set(f.key, q.message)
		}
		q.message.dropped = append(q.message.dropped, c.Addr.String())
		return handlers.Continue
	}
	return reply(handlers.KindEnvelopeRecipient, v, err)
}

// end does what can be done at the end of a message alone.
func (f *filter) end(s *handlers.Session, m *handlers.Message) handlers.Reply {
	kept := f.kept(s)
	v, err := f.decide(handlers.KindEnvelopeFrom, question{s: s, message: kept})
	switch {
	case err != nil:
		return handlers.Failed(err)
	case v != nil && v.action == discard:
		return handlers.Discard
	case v != nil && v.action == quarantine:
		m.Quarantine(v.reason)
	}
	if kept == nil || len(kept.dropped) == 0 {
		return handlers.Continue
	}
	return drop(s.Result(), m, kept.dropped)
}

// drop takes recipients from a message, or discards it if there are no others.
func drop(r *handlers.Result, m *handlers.Message, dropped []string) handlers.Reply {
	set := make(map[string]bool)
	for _, rcpt := range dropped {
		set[rcpt] = true
	}
	others := r.Truncated // then not all are known
	for _, rcpt := range r.Recipients {
		others = others || !set[rcpt]
	}
	if !others {
		return handlers.Discard
	}
	for _, rcpt := range dropped {
		if set[rcpt] {
			m.DeleteRecipient(rcpt)
			set[rcpt] = false
		}
	}
	return handlers.Continue
}

// kept returns what is kept of the message; nil for nothing.
func (f *filter) kept(s *handlers.Session) *message {
	kept, _ := s.Shelf().Get(f.key)
	m, _ := kept.(*message)
	return m
}

// findSender looks up the sender for all rules about it, and keeps what was found; nil
// for nothing.
func (f *filter) findSender(s *handlers.Session, c *protocol.MailFrom) (m *message) {
	for i := range f.rules {
		r := &f.rules[i]
		if r.subject.stage != handlers.KindEnvelopeFrom {
			continue
		}
		if v := r.mailbox(c.Mailbox(), senderDomain); v != nil {
			if m == nil {
				m = &message{senders: make([]*verdict, len(f.rules))}
				s.Shelf().Set(f.key, m)
			}
			m.senders[i] = v
		}
	}
	return m
}

// answer returns what is answered at a stage.
func (f *filter) answer(stage handlers.Kind, q question) handlers.Reply {
	v, err := f.decide(stage, q)
	return reply(stage, v, err)
}

// reply returns what is answered to a verdict. What cannot be done yet waits.
func reply(stage handlers.Kind, v *verdict, err error) handlers.Reply {
	switch {
	case err != nil:
		return handlers.Failed(err)
	case v == nil:
		return handlers.Continue
	}
	switch v.action {
	case reject, tempFail:
		return v.reply
	case accept:
		return handlers.Accept
	case discard:
		if stage == handlers.KindEnvelopeFrom {
			return handlers.Discard
		}
	}
	return handlers.Continue
}

// decide returns the verdict of the first rule that fits, of those that can be asked at
// a stage; nil if none does.
func (f *filter) decide(stage handlers.Kind, q question) (*verdict, error) {
	for i := range f.rules {
		r := &f.rules[i]
		if r.stage > stage {
			break // so are those after it
		}
		for _, view := range r.views {
			if l := view.List(); !l.Ready() {
				return nil, fmt.Errorf("access: list %q was not read: open the set of lists before its filters are used", l.Name())
			}
		}
		if v := r.ask(i, q); v != nil {
			return v, nil
		}
	}
	return nil, nil
}

// ask returns the verdict of r, which is rule i; nil if no entry fits.
func (r *rule) ask(i int, q question) *verdict {
	switch r.word {
	case client:
		_, addr := q.s.Client()
		return r.first(func(v *lists.View[*verdict]) (*verdict, bool) { return v.LookupAddr(addr.IP) })
	case clientName:
		host, _ := q.s.Client()
		return r.first(func(v *lists.View[*verdict]) (*verdict, bool) { return v.Lookup(host) })
	case helo:
		name := q.s.Helo()
		return r.first(func(v *lists.View[*verdict]) (*verdict, bool) { return v.Lookup(name) })
	case sender, senderDomain:
		if q.message == nil || q.message.senders == nil {
			return nil
		}
		return q.message.senders[i]
	}
	return r.mailbox(q.rcpt, recipientDomain)
}

// mailbox looks up an address, or its domain if r is about that.
func (r *rule) mailbox(addr protocol.View, domain string) *verdict {
	if r.word == domain {
		at := bytes.LastIndexByte(addr, '@')
		if at < 0 {
			return nil
		}
		addr = addr[at+1:]
	}
	return r.first(func(v *lists.View[*verdict]) (*verdict, bool) { return v.LookupBytes(addr) })
}

// first returns the verdict of the first list that has one; nil if none does.
func (r *rule) first(find func(*lists.View[*verdict]) (*verdict, bool)) *verdict {
	for _, view := range r.views {
		if v, ok := find(view); ok && v.action != dunno {
			return v
		}
	}
	return nil
}
