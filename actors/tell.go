package actors

import (
	"context"

	"millstream/handlers"
	"millstream/protocol"
)

// call asks the handlers about an event with an answer.
func (s *session) call(ev handlers.Event) {
	if s.late(ev, (*session).callHeld, false) {
		return
	}
	r := s.inline(ev)
	if r.Status() == protocol.StatusProgress {
		s.await(holdAnswer, r)
		return
	}
	s.answered(r)
}

// callHeld asks about an event that had to wait.
func (s *session) callHeld() {
	ev := s.held
	s.held = nil
	if s.worker {
		s.answered(handlers.Failed(handlers.ErrTimeout))
		return
	}
	s.call(ev)
}

// tell tells the handlers of an event without an answer.
func (s *session) tell(ev handlers.Event) {
	if s.stuck {
		return
	}
	s.during = handlers.KindOf(ev)
	if s.late(ev, (*session).tellHeld, true) {
		return
	}
	s.number++
	s.begun = s.loop.stamp
	r := s.inline(ev)
	if r.Status() == protocol.StatusProgress {
		s.await(holdTold, r)
		return
	}
	s.observed(r)
}

// tellHeld tells of an event that had to wait.
func (s *session) tellHeld() {
	ev := s.held
	s.held = nil
	s.tell(ev)
}

// observed ends an event without an answer.
func (s *session) observed(r handlers.Reply) {
	if r.Failed() {
		s.report(r.Err(), "")
	}
	s.during = 0
	if s.faults != nil {
		s.do((*session).tellFaults)
	}
}

// inline calls the handlers on the event loop.
func (s *session) inline(ev handlers.Event) handlers.Reply {
	if s.trail != nil {
		s.trail.follow()
	}
	s.event = s.control.Begin(s.context())
	r := s.control.Call(s.handler, s.event, ev)
	if s.timeless = s.unawaited() && r.Status() != protocol.StatusProgress; !s.timeless {
		s.measure(s.during)
	}
	return r
}

// context returns that of the event under way: it carries the trace.
func (s *session) context() context.Context {
	if s.trail == nil {
		return context.Background()
	}
	return s.trail.spans.context()
}

// unawaited reports whether the MTA goes on without an answer to the event under way.
// Then its packets come many at a time, and to look at the clock after each would
// cost as much as what is done with it: their handlers' time is taken together,
// unless handlers are told what each has taken.
func (s *session) unawaited() bool {
	return s.during == s.kind && s.control.Machine().Silent(s.code) &&
		!s.wants.Events.Has(handlers.KindResponse) && (s.trail == nil || !s.trail.exact())
}

// measure reports handlers that held the event loop since the time was last asked
// for.
func (s *session) measure(event handlers.Kind) {
	s.timeless = false
	before := s.loop.stamp
	s.loop.look()
	took := s.loop.stamp.Sub(before)
	if slow := s.gen.cfg.SlowInline; slow > 0 && took > slow {
		s.sys.Hit(LimitSlowInline)
		s.report(&handlers.SlowError{Event: event, Took: took}, "")
	}
}

// catchUp takes the time of handlers that is not taken yet. It reports whether there
// is something to be done about it.
func (s *session) catchUp() bool {
	if !s.timeless {
		return false
	}
	s.measure(s.kind)
	if s.faults != nil {
		s.do((*session).tellFaults)
	}
	return s.faults != nil
}
