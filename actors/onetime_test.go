package actors

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// alone counts the functions of a session that run, and fails if there are two.
type alone struct {
	t *testing.T
	n atomic.Int32
}

// enter says that a function begins, and returns what says that it ends.
func (a *alone) enter() func() {
	if a.n.Add(1) != 1 {
		a.t.Error("two functions run at once")
	}
	return func() { a.n.Add(-1) }
}

// late returns a reply of a function that returns some time after its context has
// ended.
func (a *alone) late(d time.Duration) func(*handlers.Session, handlers.Event) handlers.Reply {
	return func(*handlers.Session, handlers.Event) handlers.Reply {
		return handlers.Async(func(ctx context.Context) handlers.Reply {
			defer a.enter()()
			<-ctx.Done()
			time.Sleep(d)
			return handlers.Accept
		})
	}
}

// once returns f the first time, then nothing.
func once(f func(*handlers.Session, handlers.Event) handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
	done := false
	return func(s *handlers.Session, ev handlers.Event) handlers.Reply {
		if done {
			return handlers.Reply{}
		}
		done = true
		return f(s, ev)
	}
}

// A function whose context has ended is waited for before the next event is told.
func TestOneAtATime(t *testing.T) {
	tests := []struct {
		behind, told, answers string
	}{
		{"A", "abort(envelope-from)", ""},
		{"A M R", "abort(envelope-from) envelope-from envelope-recipient", "cc"},
		{"Q", "abort(envelope-from) finished", ""},
		{"K H", "abort(envelope-from) finished helo", "c"},
	}
	for _, tt := range tests {
		t.Run(tt.behind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &alone{t: t}
				p := newProbe(t, Config{}, brief, replies{handlers.KindEnvelopeFrom: once(a.late(time.Minute))})
				p.feed("O M")
				p.events()
				want(t, "at once", p.feed(tt.behind)+p.after(59*time.Second)+p.events(), "")
				want(t, "later", p.after(2*time.Second), tt.answers)
				want(t, "told", p.events(), tt.told)
				if n := p.sys.stale.Load(); n != 1 {
					t.Errorf("%d answers were late", n)
				}
			})
		})
	}
}

// An event that waits for a function longer than HandlerTimeout fails: the MTA is
// not kept waiting, and what has no answer is not told.
func TestOneAtATimeBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, book := &alone{t: t}, new(logbook)
		p := newProbe(t, Config{HandlerTimeout: 10 * time.Second, Log: slog.New(book)}, brief,
			replies{handlers.KindHelo: once(a.late(time.Hour))})
		p.feed("O H")
		want(t, "deadline", p.after(10*time.Second), "t")
		want(t, "events", p.events(), "negotiate helo") // the failure waits for the function
		want(t, "next", p.feed("M")+p.after(9*time.Second), "")
		want(t, "it waits for the failure to be told", p.after(2*time.Second), "")
		want(t, "it waits itself", p.after(10*time.Second), "t")
		want(t, "quit", p.feed("Q"), "")
		want(t, "finished is not told", p.events(), "")
		if len(book.lines) != 3 { // the answer, the failure that was not told, the next answer
			t.Errorf("log %v", book.lines)
		}
		if p.sys.Len() != 0 {
			t.Error("the session is still there")
		}
		time.Sleep(time.Hour)
	})
}

// When the function has returned at last, all is as before.
func TestOneAtATimeRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &alone{t: t}
		p := newProbe(t, Config{HandlerTimeout: 10 * time.Second}, brief,
			replies{handlers.KindHelo: once(a.late(25 * time.Second))})
		p.feed("O H")
		want(t, "deadline", p.after(10*time.Second), "t")
		p.after(30 * time.Second)
		want(t, "next", p.feed("M A"), "c")
		want(t, "events", p.events(), "negotiate helo envelope-from abort(envelope-from-replied)")
	})
}

// A deadline answers at once. What is told of it waits for the function.
func TestOneAtATimeAfterDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &alone{t: t}
		p := newProbe(t, Config{HandlerTimeout: 10 * time.Second}, everything,
			replies{handlers.KindEndOfMessage: a.late(2 * time.Second)})
		p.feed("O M E")
		p.events()
		want(t, "answer", p.after(10*time.Second), "pt")
		want(t, "events", p.events(), "")
		p.after(2 * time.Second)
		want(t, "events", p.events(),
			"error(end-of-message,timeout) response(end-of-message,tempfail) message-processed(tempfail)")
	})
}

// The private value is destroyed when no function can use it any more.
func TestOneAtATimePrivate(t *testing.T) {
	for _, end := range []string{"Q", "K"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &alone{t: t}
				var destroyed atomic.Bool
				takes := handlers.Of(handlers.KindConnect, handlers.KindHelo)
				p := newProbe(t, Config{HandlerTimeout: time.Minute}, takes, replies{
					handlers.KindConnect: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
						s.SetPrivate("mine", func(any) {
							defer a.enter()()
							destroyed.Store(true)
						})
						return handlers.Continue
					},
					handlers.KindHelo: a.late(time.Second),
				})
				p.feed("O C H")
				p.feed(end)
				if p.settled(); destroyed.Load() {
					t.Error("destroyed while a function runs")
				}
				if p.after(2 * time.Second); !destroyed.Load() {
					t.Error("not destroyed")
				}
			})
		})
	}
}

// A function that never ends keeps the session no longer than it keeps others.
func TestOneAtATimePrivateBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &alone{t: t}
		p := newProbe(t, Config{HandlerTimeout: 10 * time.Second}, handlers.Of(handlers.KindHelo), replies{
			handlers.KindHelo: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
				s.SetPrivate(1, nil)
				return a.late(30*time.Minute)(s, ev)
			},
		})
		p.feed("O H")
		p.feed("Q")
		if p.after(9 * time.Second); p.sys.Len() != 1 {
			t.Error("the session has ended")
		}
		if p.after(2 * time.Second); p.sys.Len() != 0 {
			t.Error("the session has not ended")
		}
	})
}

// Abort, quit and deadline tell a function by its context, and why.
func TestOneAtATimeCause(t *testing.T) {
	for _, tt := range []struct {
		end   string
		cause error
	}{{"A", handlers.ErrAborted}, {"Q", handlers.ErrSessionClosed}, {"", handlers.ErrTimeout}} {
		synctest.Test(t, func(t *testing.T) {
			var cause error
			p := newProbe(t, Config{HandlerTimeout: time.Second}, brief, replies{
				handlers.KindEnvelopeFrom: func(*handlers.Session, handlers.Event) handlers.Reply {
					return handlers.Async(func(ctx context.Context) handlers.Reply {
						<-ctx.Done()
						cause = context.Cause(ctx)
						return handlers.Reply{}
					})
				},
			})
			p.feed("O M")
			p.feed(tt.end)
			p.after(2 * time.Second)
			if !errors.Is(cause, tt.cause) {
				t.Errorf("%q: cause %v", tt.end, cause)
			}
		})
	}
}
