package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// A stop ends idle sessions without an error, the others with one.
func TestStop(t *testing.T) {
	all := func(p *probe) { p.sys.CloseAll() }
	one := func(p *probe) {
		if err := p.sys.Abort(p.Info().ID); err != nil {
			p.t.Error(err)
		}
	}
	tests := []struct {
		name, script string
		do           func(*probe)
		events       string
	}{
		{"idle", "O", all, "finished"},
		{"idle before the offer", "", all, "finished"},
		{"after a message", "O M E", all, "finished"},
		{"in a message", "O M", all, "error(none,closed) abort(envelope-from-replied) message-processed(abort) finished(closed)"},
		{"pending", "O H", all, "error(none,closed) finished(closed)"},
		{"pending in a message", "O M R T", all, "error(none,closed) abort(envelope-recipient) message-processed(abort) finished(closed)"},
		{"abort of an idle one", "O", one, "error(none,closed) finished(closed)"},
		{"abort of a pending one", "O H", one, "error(none,closed) finished(closed)"},
		{"twice", "O M", func(p *probe) { all(p); one(p) }, "error(none,closed) abort(envelope-from-replied) message-processed(abort) finished(closed)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h held
				takes := ends | handlers.Of(handlers.KindHelo, handlers.KindEnvelopeRecipient)
				p := newProbe(t, Config{}, takes, replies{handlers.KindHelo: h.reply, handlers.KindEnvelopeRecipient: h.reply})
				p.feed(tt.script)
				p.events()
				tt.do(p)
				want(t, "written", p.settled(), "")
				want(t, "events", p.events(), tt.events)
				if err := p.sys.Abort(p.s.id); !errors.Is(err, handlers.ErrSessionClosed) {
					t.Errorf("abort of one that has ended: %v", err)
				}
				if h.resolve != nil && !errors.Is(h.resolve(handlers.Continue), handlers.ErrSessionClosed) {
					t.Error("resolve after the end")
				}
			})
		})
	}
}

// A stop while the end is told makes that end sooner.
func TestStopEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		p := newProbe(t, Config{}, ends, replies{handlers.KindFinished: func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Async(func(ctx context.Context) handlers.Reply {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return handlers.Reply{}
			})
		}})
		p.feed("O Q")
		if p.sys.Len() != 1 {
			t.Error("it did not wait")
		}
		p.sys.CloseAll()
		if p.settled(); p.sys.Len() != 0 || !errors.Is(cause, handlers.ErrSessionClosed) {
			t.Errorf("%d sessions, cause %v", p.sys.Len(), cause)
		}
	})
}

// Drain waits for sessions, Wait for functions, and both no longer than they may.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &alone{t: t}
		p := newProbe(t, Config{}, handlers.Of(handlers.KindHelo), replies{handlers.KindHelo: a.late(time.Minute)})
		soon := func() context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			t.Cleanup(cancel)
			return ctx
		}
		if err := p.sys.Wait(soon()); err != nil {
			t.Errorf("no function: %v", err)
		}
		p.feed("O H")
		if err := p.sys.Drain(soon()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain: %v", err)
		}
		p.sys.CloseAll()
		if err := p.sys.Drain(soon()); err != nil {
			t.Errorf("drain: %v", err)
		}
		if err := p.sys.Drain(soon()); err != nil {
			t.Errorf("no session: %v", err)
		}
		if err := p.sys.Wait(soon()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait: %v", err)
		}
		start := time.Now()
		if err := p.sys.Wait(t.Context()); err != nil || time.Since(start) > time.Minute {
			t.Errorf("wait: %v after %v", err, time.Since(start))
		}
		p.sys.Stop()
	})
}

// What the system tells of its sessions.
func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, brief, nil)
		loop := p.sys.NewLoop()
		second := loop.Open(&fakeConn{t: t}, "second")
		p.feed("O M E M")
		time.Sleep(time.Second)
		list := p.sys.Sessions()
		if len(list) != 2 || list[0].ID >= list[1].ID || list[1].Listener != "second" {
			t.Fatalf("sessions %+v", list)
		}
		i := list[0]
		in := uint64(len(packets("O M E M")))
		if i.Messages != 1 || i.In != in || i.Out != 17+3*5 || i.Idle != time.Second || i.Pending != 0 || i.Listener != "offline" {
			t.Errorf("info %+v", i)
		}
		if n := p.Session().Sessions(); n != 2 {
			t.Errorf("a session counts %d", n)
		}
		second.Lost(nil, false)
		if n := p.sys.Len(); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}
