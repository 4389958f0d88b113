package when

import (
	"millstream/handlers"
	"millstream/protocol"
)

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
		return g.p.decide(m, atMail)
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
