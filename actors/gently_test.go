package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// The answer to an abort, and a function that is told of something, are waited for,
// but not for ever: what ends more than they do makes them end sooner.
func TestPreemptGently(t *testing.T) {
	slow := func(s *handlers.Session, _ handlers.Event) handlers.Reply {
		return handlers.Async(func(ctx context.Context) handlers.Reply {
			<-ctx.Done()
			time.Sleep(time.Second)
			return handlers.Reply{}
		})
	}
	tests := []struct {
		name, script, behind, atOnce, events string
		kind                                 handlers.Kind
	}{
		{
			"abort, quit", "O M A", "M R Q", "abort(envelope-from-replied)",
			"message-processed(abort) finished", handlers.KindAbort,
		},
		{
			"implicit abort, quit", "O M M", "R Q", "abort(envelope-from-replied)",
			"message-processed(abort) finished", handlers.KindAbort,
		},
		{"result, quit", "O M E", "M Q", "message-processed(continue)", "finished", handlers.KindMessageProcessed},
		{"macro, abort", "O M DR", "R A", "", "abort(envelope-from-replied) message-processed(abort)", handlers.KindMacro},
		{
			"macro, another client", "O M DR", "R K A A", "",
			"abort(envelope-from-replied) message-processed(abort) finished", handlers.KindMacro,
		},
		{
			"macro, abort and quit", "O M DR", "R A M Q", "",
			"abort(envelope-from-replied) message-processed(abort) finished", handlers.KindMacro,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				takes := handlers.Of(tt.kind, handlers.KindAbort, handlers.KindFinished, handlers.KindMessageProcessed)
				p := newProbe(t, Config{}, takes, replies{tt.kind: slow})
				p.feed(tt.script)
				p.feed(tt.behind)
				told := p.events()
				if tt.kind != handlers.KindMacro {
					want(t, "events before", told, tt.atOnce)
				}
				want(t, "written", p.after(2*time.Second), "")
				want(t, "events", p.events(), tt.events)
			})
		})
	}
}

// What waited when the connection ended does not end what is told of that.
func TestPreemptForgets(t *testing.T) {
	for name, end := range map[string]func(*probe){
		"loss": func(p *probe) { p.HangUp(nil) },
		"stop": func(p *probe) { p.sys.CloseAll() },
		"bad":  func(p *probe) { _ = p.Feed(append(packet('z', ""), packets("Q")...)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var early atomic.Bool
				slow := func(*handlers.Session, handlers.Event) handlers.Reply {
					return handlers.Async(func(context.Context) handlers.Reply {
						time.Sleep(time.Second)
						return handlers.Reply{}
					})
				}
				p := newProbe(t, Config{}, brief|handlers.Of(handlers.KindMacro), replies{
					handlers.KindMacro: slow,
					handlers.KindFinished: func(*handlers.Session, handlers.Event) handlers.Reply {
						return handlers.Async(func(ctx context.Context) handlers.Reply {
							early.Store(sleeper(time.Second)(ctx).Status() == 0 && ctx.Err() != nil)
							return handlers.Reply{}
						})
					},
				})
				p.feed("O M DR")
				if name != "bad" {
					p.feed("R Q")
				}
				end(p)
				p.after(time.Minute)
				if early.Load() {
					t.Error("the last event was cut short")
				}
				if p.sys.Len() != 0 {
					t.Error("the session is still there")
				}
			})
		})
	}
}

// A pending answer to an abort that nobody works on any more is not waited for.
func TestPreemptAbortResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{}, brief, replies{handlers.KindAbort: h.reply})
		p.feed("O M A")
		p.feed("Q")
		want(t, "events", p.events(), "negotiate envelope-from abort(envelope-from-replied) finished")
		if err := h.resolve(handlers.Continue); !errors.Is(err, handlers.ErrSessionClosed) {
			t.Errorf("resolve: %v", err)
		}
		if s := p.Session().Status(); s != protocol.StatusAbort {
			t.Errorf("status %v", s)
		}
	})
}
