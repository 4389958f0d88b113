package handlers

import (
	"errors"
	"fmt"
	"slices"

	"millstream/protocol"
)

// Chain returns a handler that asks each of hs in turn. The first answer other
// than Continue, NoReply or zero is the answer of the chain, and the rest are not
// asked. So Accept ends the message for the whole chain: a handler that only wants
// no more for itself returns Continue. A pending answer is waited for.
//
// Some events differ:
//   - Skip ends the body for one member only. The chain answers Skip when every
//     member that takes the body has skipped.
//   - In a negotiation all members are asked. Reject wins, then Continue.
//   - Events without an answer, and an abort, are told to all members.
func Chain(hs ...Handler) Handler {
	c := &chain{}
	for i, h := range hs {
		if h == nil {
			panic(fmt.Errorf("%w: handler %d of Chain", ErrNull, i))
		}
		c.add(h)
	}
	return c
}

// chain is several handlers. It is shared by sessions and does not change.
type chain struct {
	all     []Handler
	members [KindFinished + 1][]*member // that take each kind of event
	wants   Wants
	taken   Kinds
}

// add makes h the last of c. The members of a chain become members of c: to ask them in
// turn is all that it does.
func (c *chain) add(h Handler) {
	if inner, ok := h.(*chain); ok {
		for _, h := range inner.all {
			c.add(h)
		}
		return
	}
	m, taken := &member{h}, takes(h)
	for kind := range c.members {
		if taken.Has(Kind(kind)) {
			c.members[kind] = append(c.members[kind], m)
		}
	}
	c.all = append(c.all, h)
	c.wants, c.taken = c.wants.or(h.Wants()), c.taken|taken
}

// member is a handler of a chain.
type member struct{ Handler }

// Wants is [Handler].
func (c *chain) Wants() Wants { return c.wants }

func (c *chain) takes() Kinds { return c.taken }

// Handle is [Handler].
func (c *chain) Handle(s *Session, ev Event) Reply {
	return c.ask(s, ev, KindOf(ev), 0, Reply{})
}

// ask asks the members from i on. sofar is what those before came to. Where all
// members are told, one that panics does not stop the others.
func (c *chain) ask(s *Session, ev Event, kind Kind, i int, sofar Reply) Reply {
	members := c.members[kind]
	all, skips := told.Has(kind), kind == KindBody && s.anySkipped()
	for ; i < len(members); i++ {
		m := members[i]
		if skips && s.hasSkipped(m) {
			continue
		}
		var r Reply
		if all {
			r = called(m.Handler, s, ev)
		} else {
			r = m.Handle(s, ev)
		}
		switch {
		case r.pending() != nil:
			return c.hold(s, ev, kind, i, sofar, r)
		case r == Reply{}: // changes nothing
			continue
		case r.Err() == nil && r.status == protocol.StatusContinue && kind != KindNegotiate && !all:
			sofar.status = protocol.StatusContinue // what join does, for the most common answer
			continue
		}
		var done bool
		if sofar, done = c.join(s, kind, m, sofar, r); done {
			return sofar
		}
	}
	if kind == KindBody && c.allSkipped(s) {
		return Skip
	}
	return sofar
}

// hold keeps the members after i waiting for the answer of member i.
func (c *chain) hold(s *Session, ev Event, kind Kind, i int, sofar, r Reply) Reply {
	members := c.members[kind]
	switch {
	case i+1 < len(members):
		ev = Own(ev)
	case kind != KindBody && sofar == Reply{}:
		return r // the chain has nothing to add
	}
	return r.Then(func(r Reply) Reply {
		sofar, done := c.join(s, kind, members[i], sofar, r)
		if done {
			return sofar
		}
		return c.ask(s, ev, kind, i+1, sofar)
	})
}

// join adds the answer of a member to that of those before it. done says that the
// chain has its answer.
func (c *chain) join(s *Session, kind Kind, m *member, sofar, r Reply) (joined Reply, done bool) {
	switch {
	case kind == KindNegotiate:
		return strongerOption(sofar, r), false
	case told.Has(kind):
		return failures(sofar, r), false
	case r.failed:
		return r, true
	case kind == KindBody && r.status == protocol.StatusSkip:
		s.skip(m)
		return strongerPass(sofar, Continue), false
	case r.goesOn():
		return strongerPass(sofar, r), false
	}
	return r, true
}

// told are the kinds of events that every member is told of, as no answer counts.
const told = Unanswered | 1<<KindAbort

// allSkipped reports whether every member that takes the body has skipped.
func (c *chain) allSkipped(s *Session) bool {
	for _, m := range c.members[KindBody] {
		if !s.hasSkipped(m) {
			return false
		}
	}
	return len(c.members[KindBody]) > 0
}

// strongerPass returns the one of two answers that let things go on which says
// more: Continue, then NoReply, then no opinion. What is wrong with either is
// reported.
func strongerPass(a, b Reply) Reply {
	if a.status == protocol.StatusContinue || b.status == protocol.StatusDefault {
		a, b = b, a
	}
	if b.Err() == nil && a.Err() != nil {
		b.more = &more{smtp: b.SMTP(), err: a.Err()}
	}
	return b
}

// failures returns what is wrong with either of two answers that do not count.
func failures(a, b Reply) Reply {
	switch {
	case b.Err() == nil:
		return a
	case a.Err() != nil:
		return Failed(errors.Join(a.Err(), b.Err()))
	}
	return Failed(b.Err())
}

// strongerOption returns the answer of a negotiation that wins: a failure or
// something that is no answer, Reject, Continue, then the others.
func strongerOption(a, b Reply) Reply {
	if optionRank(b) > optionRank(a) {
		return b
	}
	return a
}

func optionRank(r Reply) int {
	if r.failed {
		return 4
	}
	switch r.status {
	case protocol.StatusDefault:
		return 0
	case protocol.StatusAllOptions:
		return 1
	case protocol.StatusContinue:
		return 2
	case protocol.StatusReject:
		return 3
	}
	return 4
}

// skip remembers that a member of a chain wants no more of the body. A member that
// answers late speaks of a body that is gone.
func (s *Session) skip(m *member) {
	s.set(func(c *Control) {
		r := c.uncommon()
		r.skipped = append(r.skipped, m)
	})
}

// anySkipped reports whether any member of a chain wants no more of the body.
func (s *Session) anySkipped() bool {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.rare != nil && len(s.c.rare.skipped) > 0
}

// hasSkipped reports whether a member of a chain wants no more of the body.
func (s *Session) hasSkipped(m *member) bool {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.rare != nil && slices.Contains(s.c.rare.skipped, m)
}
