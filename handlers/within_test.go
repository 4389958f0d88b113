package handlers_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// TestWithin has answers pend for shorter and for longer than allowed, in every way in
// which they can.
func TestWithin(t *testing.T) {
	wait := func(ctx context.Context, d time.Duration) handlers.Reply {
		select {
		case <-time.After(d):
			return handlers.Accept
		case <-ctx.Done():
			return handlers.Reject // which does not count
		}
	}
	type waits = func(time.Duration) handlers.Handler
	tests := []struct {
		name string
		of   waits
	}{
		{"go", func(d time.Duration) handlers.Handler {
			return handlers.Go(func(s *handlers.Session, _ *protocol.Helo) handlers.Reply { return wait(s.Context(), d) })
		}},
		{"async", func(d time.Duration) handlers.Handler {
			return handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
				return handlers.Async(func(ctx context.Context) handlers.Reply { return wait(ctx, d) })
			})
		}},
		{"async twice", func(d time.Duration) handlers.Handler {
			return handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
				half := func(ctx context.Context) handlers.Reply { return wait(ctx, d/2) }
				return handlers.Async(half).Then(func(r handlers.Reply) handlers.Reply {
					if r.Failed() {
						return r
					}
					return handlers.Async(half)
				})
			})
		}},
		{"progress", func(d time.Duration) handlers.Handler {
			return handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
				return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
					time.AfterFunc(d, func() { _ = resolve(handlers.Accept) })
				})
			})
		}},
		{"blocking progress", func(d time.Duration) handlers.Handler {
			return handlers.Blocking(handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
				return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
					time.AfterFunc(d, func() { _ = resolve(handlers.Accept) })
				})
			}))
		}},
	}
	for _, tt := range tests {
		for _, late := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, want, took := 9*time.Second, protocol.StatusAccept, 9*time.Second
					if late {
						d, want, took = 20*time.Second, protocol.StatusTempFail, 10*time.Second
					}
					s := handlertest.New(t, handlers.Within(10*time.Second, tt.of(d)))
					begun := time.Now()
					out := s.Do(&protocol.Helo{Name: view("mx")})
					if out.Status != want || time.Since(begun) != took {
						t.Errorf("%v after %v, want %v after %v", out.Status, time.Since(begun), want, took)
					}
					if fails := s.Failures(); late != (len(fails) == 1 && errors.Is(fails[0], handlers.ErrTimeout)) {
						t.Errorf("failures %v", fails)
					}
					time.Sleep(time.Minute) // what comes late comes to nobody
				})
			})
		}
	}
}

// TestWithinKinds checks that a limit changes nothing of what is asked of an MTA, nor of
// what the handler is told.
func TestWithinKinds(t *testing.T) {
	var told []string
	h := handlers.Chain(watching[*protocol.Header](&told, "header"), handlers.Need(handlers.KindHelo))
	limited := handlers.Within(time.Second, h)
	if limited.Wants() != h.Wants() {
		t.Errorf("wants %v, want %v", limited.Wants(), h.Wants())
	}
	s := handlertest.New(t, handlers.Chain(limited, answering[*protocol.MailFrom](handlers.Continue)))
	s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}, Headers: []handlers.Field{{Name: "A", Value: "b"}}})
	if len(told) != 1 {
		t.Errorf("told %v", told)
	}
}

// TestReported checks that an error that is reported does not change the answer.
func TestReported(t *testing.T) {
	broken := errors.New("broken")
	s := handlertest.New(t, handlers.Chain(
		answering[*protocol.Helo](handlers.Continue.Reported(broken)),
		handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
			return later(handlers.Reject.With(550, "5.7.1", "no")).Reported(broken)
		}),
	))
	out := s.Do(&protocol.Helo{Name: view("mx")})
	if out.Status != protocol.StatusReject || out.Text != "550 5.7.1 no" {
		t.Errorf("%v %q", out.Status, out.Text)
	}
	if fails := s.Failures(); len(fails) != 1 || !errors.Is(fails[0], broken) {
		t.Errorf("failures %v", fails)
	}
}
