package actors

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A handler that fails is answered for; the session goes on.
func TestFailureStatus(t *testing.T) {
	boom := func(*handlers.Session, handlers.Event) handlers.Reply { panic("boom") }
	const tempfail = protocol.StatusTempFail
	tests := []struct {
		name   string
		status protocol.Status // of the configuration
		kind   handlers.Kind
		reply  func(*handlers.Session, handlers.Event) handlers.Reply
		script string
		want   string
		err    string
	}{
		{"panic", 0, handlers.KindHelo, boom, "H", "t", "panic"},
		{"panic, reject", protocol.StatusReject, handlers.KindHelo, boom, "H", "r", "panic"},
		{"panic, accept", protocol.StatusAccept, handlers.KindEndOfMessage, boom, "M E", "ca", "panic"},
		{"panic, continue", protocol.StatusContinue, handlers.KindEndOfMessage, boom, "M E", "cc", "panic"},
		{"panic, discard", protocol.StatusDiscard, handlers.KindHeader, boom, "M L", "cd", "panic"},
		{"a status not allowed either", protocol.StatusDiscard, handlers.KindHelo, boom, "H", "c", "panic"},
		{"accept to unknown", 0, handlers.KindUnknown, always(handlers.Accept), "U", "t", "status"},
		{"discard at connect", tempfail, handlers.KindConnect, always(handlers.Discard), "C", "t", "status"},
		{"skip outside the body", 0, handlers.KindHeader, always(handlers.Skip), "M L", "ct", "status"},
		{"all options", 0, handlers.KindHelo, always(handlers.AllOptions), "H", "t", "status"},
		{"no reply at the end", 0, handlers.KindEndOfMessage, always(handlers.NoReply), "M E", "ct", "status"},
		{"no reply not agreed", 0, handlers.KindHeader, always(handlers.NoReply), "M L", "cc", "status"},
		{"text of another class", 0, handlers.KindHelo, always(handlers.Reject.With(451, "", "no")), "H", "r", "code"},
		{"no function", 0, handlers.KindHelo, always(handlers.Progress(nil)), "H", "t", "null"},
		{"panic at abort", 0, handlers.KindAbort, boom, "M A H", "cc", "panic"},
		{"any answer to abort", 0, handlers.KindAbort, always(handlers.Reject), "M A H", "cc", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				takes := brief &^ handlers.Of(handlers.KindFinished)
				p := newProbe(t, Config{FailureStatus: tt.status}, takes, replies{tt.kind: tt.reply})
				p.feed("O")
				want(t, "answers", p.feed(tt.script), tt.want)
				got := p.events()
				if wanted := "error(" + tt.kind.String() + "," + tt.err + ")"; tt.err != "" && strings.Count(got, wanted) != 1 ||
					tt.err == "" && strings.Contains(got, "error") {
					t.Errorf("events %s, want %s", got, wanted)
				}
			})
		})
	}
}

// A function that ends its goroutine is answered for, and gives its place to the next
// one.
func TestFailureGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{MaxWorkers: 1}, brief, replies{
			handlers.KindHelo: func(*handlers.Session, handlers.Event) handlers.Reply {
				return handlers.Async(func(context.Context) handlers.Reply {
					runtime.Goexit()
					return handlers.Accept
				})
			},
		})
		other := &fakeConn{t: t}
		otherLink := r.loop.Open(other, "other")
		r.link.Feed(packets("O H"))
		otherLink.Feed(packets("O H"))
		for _, conn := range []*fakeConn{r.conn, other} {
			synctest.Wait()
			conn.run()
			want(t, "answers", conn.codes(), "Ot")
		}
		if got := r.events(); strings.Count(got, "error(helo,panic)") != 2 {
			t.Errorf("events %s", got)
		}
		if running, waiting := r.sys.workers.counts(); running != 0 || waiting != 0 {
			t.Errorf("%d run, %d wait", running, waiting)
		}
		want(t, "the session goes on", r.feed("M"), "c")
		otherLink.Lost(nil, false)
	})
}

// Handlers that fail in what has no answer are reported, once, and each in the event
// in which it happened. No failure is told of the telling of one.
func TestFailureTold(t *testing.T) {
	boom := func(*handlers.Session, handlers.Event) handlers.Reply { panic("boom") }
	async := func(*handlers.Session, handlers.Event) handlers.Reply {
		return handlers.Async(func(context.Context) handlers.Reply { panic("boom") })
	}
	tests := []struct {
		kind   handlers.Kind
		script string
		events string
	}{
		{handlers.KindEstablished, "", "connection-established error(connection-established,panic)"},
		{handlers.KindMacro, "DC", "connection-established define-macro(C) error(define-macro,panic)"},
		{handlers.KindResponse, "O", "connection-established negotiate response(negotiate,all-options) error(response,panic)"},
		{handlers.KindError, "C", "connection-established error(none,sequence) finished(sequence)"},
		{handlers.KindFinished, "Q", "connection-established finished"},
	}
	for _, tt := range tests {
		for name, f := range map[string]func(*handlers.Session, handlers.Event) handlers.Reply{"inline": boom, "async": async} {
			t.Run(tt.kind.String()+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newProbe(t, Config{}, everything, replies{tt.kind: f})
					p.feed(tt.script)
					want(t, "events", p.events(), tt.events)
				})
			})
		}
	}
}

// Each failure is told once, also where several come at once.
func TestFailureSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, brief, replies{
			handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
				ev.(*handlers.Message).AddHeader("", "no name")
				time.Sleep(time.Second) // on the loop
				return handlers.Reject.With(1, "")
			},
		})
		want(t, "answers", p.feed("O M E"), "Oct")
		want(t, "events", p.events(), "negotiate envelope-from end-of-message error(end-of-message,slow) "+
			"error(end-of-message,code) error(end-of-message,empty)")
	})
}

// A function that holds the event loop is reported, and its answer counts. One that
// comes after a pending answer, or hears of that very report, is no exception.
func TestSlowInline(t *testing.T) {
	hold := func(*handlers.Session, handlers.Event) handlers.Reply {
		time.Sleep(6 * time.Millisecond)
		return handlers.Accept
	}
	later := func(*handlers.Session, handlers.Event) handlers.Reply {
		return handlers.Async(sleeper(time.Second)).Then(func(handlers.Reply) handlers.Reply { return hold(nil, nil) })
	}
	tests := []struct {
		name   string
		slow   time.Duration
		r      replies
		script string
		events string
	}{
		{"answered", 0, replies{handlers.KindHelo: hold}, "H", "helo error(helo,slow)"},
		{"told", 0, replies{handlers.KindMacro: hold}, "DH", "define-macro(H) error(define-macro,slow)"},
		{"a failure", 0, replies{handlers.KindError: hold, handlers.KindHelo: hold}, "H", "helo error(helo,slow)"},
		{"afterwards", 0, replies{handlers.KindHelo: later}, "H", "helo error(helo,slow)"},
		{"not off the loop", 0, replies{handlers.KindHelo: func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Async(sleeper(time.Second))
		}}, "H", "helo"},
		{"not so slow", 7 * time.Millisecond, replies{handlers.KindHelo: hold}, "H", "helo"},
		{"off", -1, replies{handlers.KindHelo: hold}, "H", "helo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{SlowInline: tt.slow}, brief|handlers.Of(handlers.KindMacro), tt.r)
				p.feed("O")
				p.events()
				p.feed(tt.script)
				p.after(2 * time.Second)
				want(t, "events", p.events(), tt.events)
			})
		})
	}
}

// A tick that comes late, as the loop had other things to do, is nobody's fault.
func TestSlowTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failure error
		r := newRig(t, Config{Timeout: time.Minute, SlowInline: time.Millisecond}, ends, replies{
			handlers.KindError: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
				failure = errors.Join(failure, ev.(*handlers.Failure).Err)
				return handlers.Reply{}
			},
		})
		r.feed("O")
		time.Sleep(time.Minute + time.Second)
		at := time.Now()
		time.Sleep(time.Second)
		r.loop.Tick(at)
		want(t, "events", r.events(), "error(none,timeout) timeout finished(timeout)")
		if _, slow := errors.AsType[*handlers.SlowError](failure); slow {
			t.Error(failure)
		}
	})
}
