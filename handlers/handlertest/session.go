package handlertest

import (
	"context"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// everything is the offer of an MTA that can do all that the protocol has.
var everything = protocol.Options{
	Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll,
}

// A Session drives one handler through one connection. Its methods are for the
// goroutine of the test.
type Session struct {
	t       testing.TB
	factory handlers.Factory
	handler handlers.Handler
	wants   handlers.Wants
	control *handlers.Control

	turn
	decoder  protocol.Decoder
	packet   []byte // of the command under way: what the handler borrows
	flushed  outlet
	response handlers.Response // told, and used again
	outcome  Outcome

	faults   []handlers.Failure // that the handler is still to be told of
	failures []error
	results  []*handlers.Result
	agreed   protocol.Agreement
	refused  error // why there is no agreement
	ended    bool
	why      error // why the connection ended
}

// New returns a session of h in which everything has been agreed on that the
// protocol has. At the end of the test it is closed.
func New(t testing.TB, h handlers.Handler) *Session {
	t.Helper()
	return NewFactory(t, handlers.Shared(h))
}

// NewFactory is New for a handler with state.
func NewFactory(t testing.TB, f handlers.Factory) *Session {
	t.Helper()
	s := &Session{t: t, factory: f}
	s.control = handlers.NewControl(context.Background(), handlers.Facts{
		ID: 1, Listener: "handlertest", Timeout: 7210 * time.Second, PacketBuffer: 64 << 10,
	}, nil)
	s.establish()
	t.Cleanup(s.Close)
	return s
}

// Control returns the other end of the session. Its Update sets the state, the
// status, the options, the peer, the result or any other fact, without a check.
func (s *Session) Control() *handlers.Control {
	s.t.Helper()
	s.ready()
	return s.control
}

// Machine returns the state machine of the session.
func (s *Session) Machine() *protocol.Machine {
	s.t.Helper()
	s.ready()
	return s.control.Machine()
}

// Negotiate negotiates and returns what the MTA would be told. It may be called
// first, or not at all. The error is a [*protocol.NegotiationError], or
// ErrNegotiation if the handler refused; then the connection has ended.
func (s *Session) Negotiate(offer protocol.Options) (protocol.Agreement, error) {
	s.t.Helper()
	s.Do(&protocol.Negotiate{Offer: offer})
	return s.agreed, s.refused
}

// ready negotiates, if that was not done yet.
func (s *Session) ready() {
	s.t.Helper()
	if s.ended || s.control.Machine().State() != protocol.StateStart {
		return
	}
	if _, err := s.Negotiate(everything); err != nil {
		s.t.Fatalf("handlertest: the MTA offers everything: %v", err)
	}
}

// Macros defines macros for the command that follows. Pairs are names and values
// in turn.
func (s *Session) Macros(stage protocol.Code, pairs ...string) {
	s.t.Helper()
	s.Do(protocol.NewMacro(stage, pairs...))
}

// EndOfMessage ends the message.
func (s *Session) EndOfMessage() Outcome {
	s.t.Helper()
	return s.Do(&protocol.EndOfMessage{})
}

// Abort gives up the message under way.
func (s *Session) Abort() {
	s.t.Helper()
	s.Do(&protocol.Abort{})
}

// Close ends the connection. To close it again does nothing.
func (s *Session) Close() {
	s.t.Helper()
	if !s.ended {
		s.Do(&protocol.Quit{})
	}
}

// Failures returns what was reported since the last call.
func (s *Session) Failures() []error {
	list := s.failures
	s.failures = nil
	return list
}

// Results returns what became of the messages since the last call.
func (s *Session) Results() []*handlers.Result {
	list := s.results
	s.results = nil
	return list
}
