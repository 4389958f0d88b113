package when

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"millstream/handlers"
	"millstream/protocol"
)

// commands are the events from connect to the end of a message, in their order.
const commands = handlers.Kinds(1<<(atEOM+1) - 1<<atConnect)

// Handler returns h with an expression in front of it: h is told of the events at which
// the expression holds. The package comment has the details. The error is a
// [*StageError]: h takes events that come before p can be decided.
func Handler(p *Program, h handlers.Handler) (handlers.Handler, error) {
	switch {
	case p == nil:
		return nil, fmt.Errorf("%w: program of Handler", handlers.ErrNull)
	case h == nil:
		return nil, fmt.Errorf("%w: handler of Handler", handlers.ErrNull)
	}
	g := &guard{p: p, h: h, taken: takes(h), key: newKey(), replies: h.Wants().Replies}
	for kind := atConnect; kind < p.stage; kind++ {
		if g.taken.Has(kind) {
			return nil, p.tooLate(kind)
		}
	}
	g.wants = handlers.Wants{Events: g.taken, Replies: g.replies}
	if !p.steady {
		g.wants.Events |= p.unit.events()
	}
	const ends = 1<<handlers.KindFinished | 1<<handlers.KindTimeout | 1<<handlers.KindError
	if !p.steady && g.taken&ends != 0 && g.taken&first == 0 {
		g.met = new(sync.Map)
		g.wants.Events |= handlers.Of(handlers.KindFinished)
	}
	sent := (h.Wants().Events | p.Needs().Wants.Events) &^ g.wants.Events
	if sent == 0 {
		return g, nil
	}
	return handlers.Chain(g, need(sent)), nil
}

// first are the events that come before anything is known.
const first = 1<<handlers.KindEstablished | 1<<handlers.KindNegotiate

// need returns a handler that has events sent.
func need(kinds handlers.Kinds) handlers.Handler {
	var list []handlers.Kind
	for k := range handlers.KindFinished + 1 {
		if kinds.Has(k) {
			list = append(list, k)
		}
	}
	return handlers.Need(list...)
}

// tooLate returns the error of a handler that takes an event before p can be decided.
func (p *Program) tooLate(event handlers.Kind) error {
	for _, l := range p.leaves {
		if l.known > event {
			return &StageError{Source: p.source, Name: l.key, Known: l.known, Event: event}
		}
	}
	return nil
}

// guards counts what has a place of its own on shelves.
var guards atomic.Uint64

// newKey returns a place on shelves that nothing else has.
func newKey() string { return "when " + strconv.FormatUint(guards.Add(1), 10) }

// guard is a handler with an expression in front of it.
type guard struct {
	p       *Program
	h       handlers.Handler
	taken   handlers.Kinds // that h is to be told of
	replies handlers.Kinds // that h answers
	wants   handlers.Wants
	key     string    // of the facts, on the shelf
	met     *sync.Map // the IDs of the sessions that h was told of; nil if it need not be known
}

// Wants is [handlers.Handler].
func (g *guard) Wants() handlers.Wants { return g.wants }

// Handle is [handlers.Handler].
func (g *guard) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	m := moment{s: s, kind: handlers.KindOf(ev)}
	if !g.p.steady {
		m.f = g.p.unit.gather(g.key, s, ev)
	}
	holds, known, err := g.ask(m, ev)
	if r, ok := ev.(*handlers.Response); ok && m.f != nil && r.To == atRcpt {
		m.f.answered(r)
	}
	switch {
	case err != nil:
		return handlers.Failed(err)
	case !g.taken.Has(m.kind):
		return handlers.Reply{}
	case holds:
		return g.tell(m, ev)
	case known && m.kind == atBody && g.settled(m) && g.replies.Has(atBody):
		return handlers.Skip
	}
	return handlers.Reply{}
}

// settled reports whether nothing will change the decision of the message, or is to be
// gathered for others.
func (g *guard) settled(m moment) bool { return g.p.steady || m.f != nil && m.f.decided }

// tell tells h of an event.
func (g *guard) tell(m moment, ev handlers.Event) handlers.Reply {
	if g.met != nil && m.kind != handlers.KindFinished {
		g.met.Store(m.s.ID(), struct{}{})
	}
	if m.kind != atBody || !g.p.unit.gathers.has(gatherSize) {
		return g.h.Handle(m.s, ev)
	}
	if m.f.skipped {
		return handlers.Reply{}
	}
	return m.f.goOn(g.h.Handle(m.s, ev))
}

// goOn returns the answer of a handler to a piece of the body that is counted: the rest
// must come, also if the handler wants no more of it.
func (f *facts) goOn(r handlers.Reply) handlers.Reply {
	return r.Then(func(r handlers.Reply) handlers.Reply {
		if r.Status() == protocol.StatusSkip {
			f.skipped = true
			return handlers.Continue
		}
		return r
	})
}
