package handlertest

import (
	"errors"
	"fmt"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// establish makes the handler of an SMTP client and tells it of the connection.
func (s *Session) establish() {
	shown := s.control.Session()
	made := s.control.Guard(func() handlers.Reply {
		s.handler, s.wants = s.factory(shown), handlers.Wants{}
		if s.handler == nil {
			return handlers.Failed(fmt.Errorf("%w: handler of the factory", handlers.ErrNull))
		}
		s.wants = s.handler.Wants()
		return handlers.Continue
	})
	if made.Failed() {
		s.report(made.Err())
		s.finish(made.Err(), nil)
		return
	}
	s.tell(&handlers.Established{})
}

// tell tells the handler of an event without an answer, if it takes it.
func (s *Session) tell(ev handlers.Event) {
	kind := handlers.KindOf(ev)
	if !s.wants.Events.Has(kind) {
		return
	}
	s.during = kind
	r := s.call(ev)
	s.control.Over(handlers.ErrStaleResponse)
	if r.Failed() {
		s.report(r.Err())
	}
	s.during = 0
	s.tellFaults()
}

// report keeps an error for the test, and for the handler. One that fails when it
// is told of a failure would do so for ever, and after the end nothing is told.
func (s *Session) report(err error) {
	s.failures = append(s.failures, err)
	if s.during != handlers.KindError && s.control.Machine().State() != protocol.StateFinished {
		s.faults = append(s.faults, handlers.Failure{During: s.during, Err: err})
	}
}

// tellFaults tells the handler of the errors that were reported.
func (s *Session) tellFaults() {
	for len(s.faults) > 0 {
		first := s.faults[0]
		s.faults = s.faults[1:]
		s.tell(&first)
	}
}

// respond tells of the answer to the event under way.
func (s *Session) respond(e protocol.Effect, text *protocol.SMTPReply, took time.Duration) {
	s.response = handlers.Response{
		To: s.kind, Status: e.Status, Text: text, Took: took,
		Silent: e.Answer == protocol.StatusDefault || s.code == protocol.CodeAbort,
	}
	s.tell(&s.response)
}

// processed tells what became of a message, and forgets it.
func (s *Session) processed() {
	r := s.control.Result(time.Now())
	s.results = append(s.results, r)
	s.tell(r)
	s.control.EndMessage(s.next)
}

// finish ends the connection, or that of one SMTP client.
func (s *Session) finish(why error, timeout *handlers.Timeout) {
	if errors.Is(why, errRefused) {
		why = nil // a handler may do so
	}
	s.ended, s.why, s.during = true, why, 0
	s.tellFaults()
	if timeout != nil {
		s.tell(timeout)
	}
	if s.control.Machine().InMessage() {
		s.give(&handlers.Abort{Err: why})
	}
	s.control.Finish()
	s.tell(&handlers.Finished{Err: why})
	closed := s.control.Guard(func() handlers.Reply {
		s.control.Close()
		return handlers.Continue
	})
	if closed.Failed() {
		s.report(closed.Err())
	}
}
