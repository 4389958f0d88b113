package handlers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func view(s string) protocol.View { return protocol.View(s) }

func mail(addr string) *protocol.MailFrom { return &protocol.MailFrom{Addr: view(addr)} }

func rcpt(addr string) *protocol.RcptTo { return &protocol.RcptTo{Addr: view(addr)} }

func header(name, value string) *protocol.Header {
	return &protocol.Header{Name: view(name), Value: view(value)}
}

func body(chunk string) *protocol.Body { return &protocol.Body{Chunk: view(chunk)} }

// answering is On with a function that returns r.
func answering[E handlers.Answered](r handlers.Reply) handlers.Handler {
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return r })
}

// noting is On with a function that adds its name to told.
func noting[E handlers.Answered](told *[]string, name string, r handlers.Reply) handlers.Handler {
	return handlers.On(func(*handlers.Session, E) handlers.Reply {
		*told = append(*told, name)
		return r
	})
}

// watching is Observe with a function that adds its name to told.
func watching[E handlers.Observed](told *[]string, name string) handlers.Handler {
	return handlers.Observe(func(*handlers.Session, E) { *told = append(*told, name) })
}

// later returns a reply that is r, but not yet.
func later(r handlers.Reply) handlers.Reply {
	return handlers.Async(func(context.Context) handlers.Reply { return r })
}

// newControl returns the control of a session in which everything may be done.
func newControl() *handlers.Control {
	return handlers.NewControl(context.Background(), handlers.Facts{
		Options: protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll}, PacketBuffer: 64 << 10,
	}, nil)
}

// ask asks h about an event and waits for the answer.
func ask(c *handlers.Control, h handlers.Handler, ev handlers.Event) handlers.Reply {
	s := c.Begin(context.Background())
	return await(c, s, c.Call(h, s, ev))
}

// await returns what r comes to.
func await(c *handlers.Control, s *handlers.Session, r handlers.Reply) handlers.Reply {
	for r.Status() == protocol.StatusProgress {
		r = (<-start(c, s, r))()
	}
	return r
}

// start starts the work of a pending reply, and returns where its end is posted.
func start(c *handlers.Control, s *handlers.Session, r handlers.Reply) <-chan func() handlers.Reply {
	posted := make(chan func() handlers.Reply, 2)
	c.Run(s, r, func(f func()) { go f() }, func(next func() handlers.Reply) { posted <- next })
	return posted
}

// receive moves c on by commands, and answers each as it says.
func receive(t *testing.T, c *handlers.Control, s protocol.Status, cmds ...protocol.Command) {
	t.Helper()
	for _, cmd := range cmds {
		turn, err := c.Receive(cmd, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !turn.Pending {
			continue
		}
		if _, err := c.Apply(cmd.Code(), s, protocol.StatusTempFail, 0); err != nil {
			t.Fatal(err)
		}
		if cmd.Code() == protocol.CodeNegotiate {
			c.Agree(protocol.Agreement{Granted: offer, Wire: offer})
		}
	}
}

// inMessage returns a control that has negotiated the given steps and has received
// cmds.
func inMessage(t *testing.T, steps protocol.Steps, cmds ...protocol.Command) *handlers.Control {
	t.Helper()
	c := newControl()
	receive(t, c, protocol.StatusContinue, &protocol.Negotiate{Offer: offer})
	granted := protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: steps}
	c.Agree(protocol.Agreement{Granted: granted, Wire: granted})
	receive(t, c, protocol.StatusContinue, cmds...)
	return c
}

// checkStatus compares a reply with a status.
func checkStatus(t *testing.T, r handlers.Reply, want protocol.Status) {
	t.Helper()
	if r.Status() != want || r.Err() != nil || r.Failed() {
		t.Errorf("reply %v, failed %v, error %v; want %v", r.Status(), r.Failed(), r.Err(), want)
	}
}

// checkPanic checks that a reply stands for a handler that panicked with a value.
func checkPanic(t *testing.T, r handlers.Reply, value any) {
	t.Helper()
	e, ok := errors.AsType[*handlers.PanicError](r.Err())
	if !ok || !r.Failed() || e.Value != value || !strings.Contains(string(e.Stack), "_test.go") {
		t.Errorf("reply %v, failed %v, error %v; want a panic with %v", r.Status(), r.Failed(), r.Err(), value)
	}
}

// checkTold compares what was told, and forgets it.
func checkTold(t *testing.T, told *[]string, want ...string) {
	t.Helper()
	if !slices.Equal(*told, want) {
		t.Errorf("told %v, want %v", *told, want)
	}
	*told = nil
}

// checkIs checks that an error is each of targets.
func checkIs(t *testing.T, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %v (%T), want %v", err, err, target)
		}
	}
	if len(targets) == 0 && err != nil {
		t.Errorf("error %v, want none", err)
	}
}

// isErr reports whether an error is the very one that is expected.
func isErr(got, want error) bool {
	return got == want //nolint:errorlint // one like it is another one
}

// panics returns what f panics with.
func panics(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}
