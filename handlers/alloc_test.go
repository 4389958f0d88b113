package handlers_test

import (
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// An inline chain that answers a known reply without text allocates nothing. The
// tests do without subtests: AllocsPerRun counts what the whole program allocates.
func TestInlineAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted")
	}
	observer := handlers.Chain(
		handlers.Observe(func(*handlers.Session, *protocol.Macro) {}),
		handlers.Observe(func(*handlers.Session, *protocol.Header) {}),
		handlers.Observe(func(s *handlers.Session, _ *protocol.Body) { _ = s.State() }),
		handlers.Need(handlers.KindEnvelopeRecipient),
		handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
			return next.Handle(s, ev)
		})(handlers.On(pass[*protocol.MailFrom])),
	)
	for name, h := range map[string]handlers.Handler{
		"on": handlers.On(pass[*protocol.Header]), "chain": every, "observers": observer, "nested": handlers.Chain(every, observer),
	} {
		r := newRig(t, h)
		n := testing.AllocsPerRun(100, func() {
			r.receive(benchMacro)
			r.command(benchMail)
			r.command(benchRcpt)
			r.command(benchData)
			r.command(benchHeader)
			r.command(benchEndOfHeader)
			r.command(benchBody)
			r.receive(&protocol.Abort{})
			r.apply(protocol.CodeAbort, protocol.StatusContinue)
			r.control.EndMessage(0)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for a message without its end", name, n)
		}
	}
}

// A message costs its Message, and changes that fit into the room of those before
// nothing more.
func TestMessageAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted")
	}
	r := newRig(t, every)
	if n := testing.AllocsPerRun(100, r.message); n != 1 {
		t.Errorf("%v allocations for a message, want 1", n)
	}
}

// What is told of the session costs no copy of all that is known.
func TestSessionAllocs(t *testing.T) {
	r := newRig(t, every)
	r.receive(benchMacro)
	r.command(benchMail)
	s := r.control.Begin(t.Context())
	n := testing.AllocsPerRun(100, func() {
		_, _, _, _ = s.ID(), s.State(), s.Options(), s.InMessage()
		_, _ = s.LookupMacro("none")
		_, _ = s.Shelf().Get("x")
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
