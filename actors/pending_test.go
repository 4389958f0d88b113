package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A Resolve counts once, and only for its own event.
func TestResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{}, brief, replies{handlers.KindHelo: h.reply})
		want(t, "pending", p.feed("O H M R"), "O")
		if err := h.resolve(handlers.Async(nil)); err != nil {
			t.Errorf("a reply that failed: %v", err)
		}
		want(t, "failure status, then what waited", p.settled(), "tcc")
		p.feed("A H")
		pending := handlers.Progress(func(context.Context, handlers.Resolve) {})
		if err := h.resolve(pending); !errors.Is(err, protocol.ErrStatusNotAllowed) {
			t.Errorf("pending reply: %v", err)
		}
		if err := h.resolve(handlers.Reject); err != nil {
			t.Errorf("resolve: %v", err)
		}
		if err := h.resolve(handlers.Accept); !errors.Is(err, handlers.ErrStaleResponse) {
			t.Errorf("second resolve: %v", err)
		}
		want(t, "answer", p.settled(), "r")
		p.feed("M") // another event
		want(t, "nothing comes late", p.settled(), "")
		if n := p.sys.stale.Load(); n != 0 {
			t.Errorf("%d late", n)
		}
	})
}

// Resolve may be called before start has returned; it takes effect after that.
func TestResolveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *probe
		p = newProbe(t, Config{}, brief, replies{
			handlers.KindHelo: func(*handlers.Session, handlers.Event) handlers.Reply {
				return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
					_ = resolve(handlers.TempFail)
					p.note("started")
				})
			},
		})
		want(t, "answer", p.feed("O H"), "Ot")
		want(t, "events", p.events(), "negotiate helo started")
	})
}

// What Async and Resolve give is judged as what a function returns.
func TestPendingReplies(t *testing.T) {
	failed := handlers.Async(func(context.Context) handlers.Reply { panic("oops") })
	badStart := handlers.Progress(func(context.Context, handlers.Resolve) { panic("oops") })
	then := handlers.Async(func(context.Context) handlers.Reply { return handlers.Continue }).
		Then(func(handlers.Reply) handlers.Reply { panic("oops") })
	async := func(r handlers.Reply) handlers.Reply {
		return handlers.Async(func(context.Context) handlers.Reply { return r })
	}
	tests := []struct {
		name   string
		reply  handlers.Reply
		want   string
		events string
	}{
		{"reject", async(handlers.Reject), "r", ""},
		{"text", async(handlers.TempFail.With(451, "4.7.1", "later")), "y", ""},
		{"no opinion", async(handlers.Reply{}), "c", ""},
		{"pending in turn", async(async(handlers.Accept)), "a", ""},
		{"not allowed", async(handlers.Discard), "t", "error(helo,status)"},
		{"no reply, not agreed", async(handlers.NoReply), "c", "error(helo,status)"},
		{"bad text", async(handlers.Reject.With(250, "", "no")), "r", "error(helo,code)"},
		{"panic in a goroutine", failed, "t", "error(helo,panic)"},
		{"panic in start", badStart, "t", "error(helo,panic)"},
		{"panic in a continuation", then, "t", "error(helo,panic)"},
		{"no function", handlers.Async(nil), "t", "error(helo,null)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, handlers.Of(handlers.KindHelo, handlers.KindEnvelopeFrom, handlers.KindError),
					replies{handlers.KindHelo: always(tt.reply)})
				p.feed("O")
				want(t, "answer", p.feed("H"), tt.want)
				want(t, "events", p.events(), strings.TrimSpace("helo "+tt.events))
				want(t, "the session goes on", p.feed("M"), "c")
			})
		})
	}
}

// The state stays while an answer is pending, and the MTA's time does not run.
func TestPendingState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{Timeout: time.Minute}, brief, replies{handlers.KindHelo: h.reply})
		p.feed("O H")
		p.after(50 * time.Second)
		i := p.Info()
		if s := p.Session(); s.State() != protocol.StateHelo || i.State != protocol.StateHelo ||
			i.Pending != 50*time.Second || i.Idle != 0 {
			t.Errorf("state %v, info %+v", s.State(), i)
		}
		p.after(50 * time.Second)
		_ = h.resolve(handlers.Continue)
		want(t, "answer", p.settled(), "c")
		p.after(50 * time.Second) // the MTA has a minute again
		if i := p.Info(); i.State != protocol.StateHeloReplied || i.Pending != 0 || i.Idle != 50*time.Second {
			t.Errorf("info %+v", i)
		}
		want(t, "in time", p.feed("M"), "c")
	})
}

// Work off the loop for an event without an answer holds up the next packet, not
// the answer before.
func TestPendingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, everything, replies{
			handlers.KindMessageProcessed: func(*handlers.Session, handlers.Event) handlers.Reply {
				return handlers.Async(func(context.Context) handlers.Reply {
					time.Sleep(time.Second)
					return handlers.Reject // means nothing
				})
			},
		})
		want(t, "answer", p.feed("O M E M"), "Occ")
		want(t, "next", p.after(2*time.Second), "c")
	})
}
