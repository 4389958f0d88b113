package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// An answer that does not come in time is that of a handler that failed.
func TestHandlerTimeout(t *testing.T) {
	for _, at := range pendingAt {
		t.Run(at.kind.String()+"/"+at.state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h held
				cfg := Config{HandlerTimeout: 10 * time.Second, AutoProgress: -1}
				p := newProbe(t, cfg, brief, replies{at.kind: h.reply})
				p.feed(at.script)
				p.events()
				want(t, "before", p.after(10*time.Second-1), "")
				failure := "error(" + at.kind.String() + ",timeout)"
				if at.kind == handlers.KindNegotiate {
					want(t, "refused", p.after(time.Second), "r")
					want(t, "events", p.events(), failure+" finished")
					return
				}
				want(t, "failure status", p.after(time.Second), "t")
				want(t, "events", p.events(), failure)
				if err := context.Cause(h.ctx); !errors.Is(err, handlers.ErrTimeout) {
					t.Errorf("cause %v", err)
				}
				if at.kind != handlers.KindHelo {
					want(t, "goes on", p.feed("A H"), "c")
				}
			})
		})
	}
}

// The time of an event counts from its beginning, however many answer it in turn,
// and the time in which it waits for a worker counts too.
func TestHandlerTimeoutCountsAll(t *testing.T) {
	sleep := func(d time.Duration) handlers.Handler {
		return handlers.Go(func(s *handlers.Session, _ *protocol.Helo) handlers.Reply {
			select {
			case <-time.After(d):
			case <-s.Context().Done():
			}
			return handlers.Continue
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := &probe{t: t}
		p.start(Config{HandlerTimeout: 10 * time.Second}, handlers.Shared(handlers.Chain(sleep(6*time.Second), sleep(6*time.Second))))
		p.feed("O H")
		want(t, "answer", p.after(10*time.Second), "t")
	})
	synctest.Test(t, func(t *testing.T) {
		p := &probe{t: t}
		p.start(Config{HandlerTimeout: 10 * time.Second, MaxWorkers: 1}, handlers.Shared(sleep(time.Second)))
		free := make(chan struct{})
		p.sys.workers.start(p.sys.current, func() { <-free })
		p.feed("O H")
		want(t, "answer", p.after(10*time.Second), "t")
		close(free)
	})
}

// A function that is told of something, and an abort, have a deadline as well.
func TestHandlerTimeoutTold(t *testing.T) {
	hang := func(s *handlers.Session, _ handlers.Event) handlers.Reply {
		return handlers.Async(func(ctx context.Context) handlers.Reply {
			<-ctx.Done()
			return handlers.Reply{}
		})
	}
	tests := []struct {
		kind   handlers.Kind
		script string
		want   string
		events string // after the deadline
	}{
		{handlers.KindEstablished, "O", "O", "error(connection-established,timeout) negotiate"},
		{handlers.KindMacro, "O DM M", "c", "error(define-macro,timeout) envelope-from"},
		{handlers.KindAbort, "O M A U", "c", "error(abort,timeout) message-processed(abort) unknown"},
		{handlers.KindMessageProcessed, "O M E U", "c", "error(message-processed,timeout) unknown"},
		{handlers.KindFinished, "O Q", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				takes := everything&^handlers.Of(handlers.KindMacro, handlers.KindEstablished, handlers.KindResponse) | handlers.Of(tt.kind)
				p := newProbe(t, Config{HandlerTimeout: 10 * time.Second}, takes, replies{tt.kind: hang})
				p.feed(tt.script)
				p.events()
				want(t, "before", p.after(9*time.Second), "")
				want(t, "after", p.after(2*time.Second), tt.want)
				want(t, "events", p.events(), tt.events)
			})
		})
	}
}

// Without a limit an answer may take its time.
func TestHandlerTimeoutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{HandlerTimeout: -1}, brief, replies{handlers.KindHelo: h.reply})
		p.feed("O H")
		want(t, "answer", p.after(10*time.Minute), "")
		_ = h.resolve(handlers.Continue)
		want(t, "answer", p.settled(), "c")
	})
}

// While the end of a message is pending the MTA is asked to wait on.
func TestAutoProgress(t *testing.T) {
	answer := func(d time.Duration, work func(*handlers.Message)) func(*handlers.Session, handlers.Event) handlers.Reply {
		return func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				work(ev.(*handlers.Message))
				time.Sleep(d)
				return handlers.Continue
			})
		}
	}
	nothing := func(*handlers.Message) {}
	tests := []struct {
		name  string
		cfg   Config
		reply func(*handlers.Session, handlers.Event) handlers.Reply
		want  string
	}{
		{"every 5 s", Config{}, answer(27*time.Second, nothing), "pppppc"},
		{"every 10 s", Config{AutoProgress: 10 * time.Second}, answer(27*time.Second, nothing), "ppc"},
		{"off", Config{AutoProgress: -1}, answer(27*time.Second, nothing), "c"},
		{"until the deadline", Config{HandlerTimeout: 12 * time.Second}, answer(27*time.Second, nothing), "ppt"},
		{"not within a body", Config{}, answer(27*time.Second, func(m *handlers.Message) { m.ReplaceBody(nil) }), "bc"},
		{"after a body", Config{}, answer(12*time.Second, func(m *handlers.Message) {
			m.ReplaceBody(nil)
			m.AddHeader("a", "b")
		}), "bhppc"},
		{"with what was gathered", Config{}, answer(6*time.Second, func(m *handlers.Message) { m.AddHeader("a", "b") }), "hpc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, tt.cfg, brief, replies{handlers.KindEndOfMessage: tt.reply})
				p.feed("O M")
				want(t, "answers", p.feed("E")+p.after(time.Minute), tt.want)
			})
		})
	}
}

// That holds, too, while the end of a message waits for a function to return, and
// for no other event.
func TestAutoProgressWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &alone{t: t}
		p := newProbe(t, Config{}, brief, replies{handlers.KindHeader: once(a.late(12 * time.Second))})
		want(t, "header", p.feed("O M L")+p.after(20*time.Second), "Oc")
		p.feed("A")
		want(t, "end of message", p.feed("M E")+p.after(13*time.Second), "c"+"c")
	})
	synctest.Test(t, func(t *testing.T) {
		a := &alone{t: t}
		takes := handlers.Of(handlers.KindHeader, handlers.KindEndOfMessage)
		p := newProbe(t, Config{HandlerTimeout: 10 * time.Second}, takes, replies{handlers.KindHeader: once(a.late(9 * time.Second))})
		p.feed("O M L")
		want(t, "header", p.after(10*time.Second), "t")
		want(t, "next message", p.feed("M E")+p.after(10*time.Second), "pc")
	})
}
