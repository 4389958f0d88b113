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

// ask decides whether h is to be told of an event. It does so for some that h does not
// take: a recipient counts for what follows, and what is kept of a session ends with it.
func (g *guard) ask(m moment, ev handlers.Event) (holds, known bool, err error) {
	counts := g.p.each && m.kind == atRcpt
	leaves := g.met != nil && m.kind == handlers.KindFinished
	if !g.taken.Has(m.kind) && !counts && !leaves {
		return false, false, nil
	}
	switch m.kind {
	case handlers.KindEstablished, handlers.KindNegotiate:
		return true, true, nil
	case handlers.KindFinished, handlers.KindTimeout, handlers.KindError:
		return g.knows(m)
	case handlers.KindAbort, handlers.KindMessageProcessed:
		return g.ends(m, ev)
	}
	at := m.kind
	switch e := ev.(type) {
	case *protocol.Macro:
		m.kind = handlers.KindFor(e.Stage)
		if at = m.kind - 1; at >= atEOM { // of an unknown command
			at = reached(m)
		}
	case *protocol.Unknown:
		at = reached(m)
	case *handlers.Response:
		return g.response(m, e.To)
	}
	return g.p.decide(m, at)
}

// reached returns how far a session has come, where the event does not tell.
func reached(m moment) handlers.Kind {
	switch {
	case m.f != nil:
		return m.f.reached
	case m.s.Helo() != "":
		return atHelo
	}
	return atConnect
}

// response decides about the answer to an event: h is told of it if it was, or would
// have been, told of the event.
func (g *guard) response(m moment, to handlers.Kind) (holds, known bool, err error) {
	switch to {
	case handlers.KindNegotiate:
		return g.taken.Has(to), true, nil
	case handlers.KindAbort:
		return g.ends(m, nil)
	}
	m.kind = to
	if to == handlers.KindUnknown {
		return g.p.decide(m, reached(m))
	}
	if g.p.each && to == atRcpt {
		return m.f != nil && m.f.rcptIs, true, nil
	}
	return g.p.decide(m, to)
}

// ends decides about the end of a message: h is told of it if the expression has held.
// One in front of a handler that takes nothing else of a message is asked now.
func (g *guard) ends(m moment, ev handlers.Event) (holds, known bool, err error) {
	switch {
	case g.p.steady:
		return g.p.decide(m, reached(m))
	case m.f == nil:
		return false, false, nil
	case m.f.held, m.f.decided:
		return m.f.held, true, nil
	case g.taken&commands != 0 || ev == nil:
		return false, true, nil
	}
	state := protocol.StateInvalid
	switch e := ev.(type) {
	case *handlers.Abort:
		state = e.State
	case *handlers.Result:
		state = e.State
	}
	m.kind = kindIn(state, m.f.reached)
	return g.p.decide(m, m.kind)
}

// kindIn returns the event that a state is of; otherwise if it is not one of a message.
func kindIn(state protocol.State, otherwise handlers.Kind) handlers.Kind {
	switch {
	case protocol.StateConnect <= state && state <= protocol.StateDataReplied:
		return atConnect + handlers.Kind(state-protocol.StateConnect)/2
	case protocol.StateHeader <= state && state <= protocol.StateEndOfMessageReplied:
		return handlers.KindHeader + handlers.Kind(state-protocol.StateHeader)/2
	}
	return otherwise
}

// knows decides about what concerns the connection as a whole: h is told of it if it was
// told of anything before.
func (g *guard) knows(m moment) (holds, known bool, err error) {
	switch {
	case g.taken&first != 0:
		return true, true, nil
	case g.p.steady:
		return g.p.decide(m, reached(m))
	}
	if m.kind == handlers.KindFinished {
		_, holds = g.met.LoadAndDelete(m.s.ID())
	} else {
		_, holds = g.met.Load(m.s.ID())
	}
	return holds, true, nil
}

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

// decide works out whether p holds at an event that comes after all of at is known. It
// is not known if that is too early.
func (p *Program) decide(m moment, at handlers.Kind) (holds, known bool, err error) {
	f := m.f
	switch {
	case at < p.stage || at >= atMail && f == nil && !p.steady:
		return false, false, nil
	case f != nil && f.decided:
		return f.holds, true, nil
	case p.each && m.kind != atRcpt: // and so f is there
		holds = f.matched > 0
	default:
		holds, err = p.holds(m)
	}
	if err != nil || f == nil {
		return holds && err == nil, true, err
	}
	f.held = f.held || holds
	switch {
	case p.each && m.kind == atRcpt:
		f.rcptIs = holds
		if holds && f.open {
			f.matched++
		}
	case at >= p.final && (!p.each || at > atRcpt):
		f.decided, f.holds = true, holds
	}
	return holds, true, nil
}
