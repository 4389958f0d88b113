package actors

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// A panic in our own code costs the session: its connection is closed without a
// reply, and others on the loop do not notice.
func TestCrash(t *testing.T) {
	tests := []struct {
		name  string
		panic func(*rig)
	}{
		{"in a turn", func(r *rig) {
			r.session().takeUp()
			r.session().do(func(*session) { panic("turn") })
		}},
		{"in a write", func(r *rig) { r.conn.write = func([]byte) error { panic("write") } }},
		{"in close, too", func(r *rig) {
			r.conn.write = func([]byte) error { panic("write") }
			r.conn.close = func() { panic("close") }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			book := new(logbook)
			r := newRig(t, Config{Log: slog.New(book)}, everything, nil)
			other := &fakeConn{t: t}
			otherLink := r.loop.Open(other, "other")
			r.feed("O M")
			tt.panic(r)
			want(t, "answers", r.feed("R"), "")
			if r.sys.Len() != 1 || len(r.conn.closed) != 1 || r.conn.closed[0] != 0 {
				t.Errorf("%d sessions, closed %v", r.sys.Len(), r.conn.closed)
			}
			r.events()
			r.link.Lost(nil, false)
			r.feed("Q")
			want(t, "after the end", r.events(), "")
			otherLink.Feed(packets("O M Q"))
			want(t, "the other one", other.codes(), "Oc")
			if len(book.lines) == 0 {
				t.Fatal("no log")
			}
			a := attrsOf(book.lines[0])
			if book.lines[0].Message != "session failed, connection closed" || !strings.Contains(a["stack"], "actors") {
				t.Errorf("log %q %v", book.lines[0].Message, a)
			}
		})
	}
}

// What handlers hold of a session that crashed ends as with any other.
func TestCrashPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause, err error
		destroyed := false
		r := newRig(t, Config{MaxOutbound: 10}, brief, replies{
			handlers.KindHelo: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
				s.SetPrivate(1, func(any) { destroyed = true })
				return handlers.Continue
			},
			handlers.KindEndOfMessage: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
				m := ev.(*handlers.Message)
				return handlers.Async(func(ctx context.Context) handlers.Reply {
					time.Sleep(time.Second)
					for m.Err() == nil { // waits for room, until there is nobody to give any
						m.ReplaceBody(make([]byte, 100))
						m.Flush()
					}
					err, cause = m.Err(), context.Cause(ctx)
					return handlers.Accept
				})
			},
		})
		r.feed("O H M E")
		r.conn.write = func([]byte) error { panic("write") }
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.conn.run()
		synctest.Wait()
		if r.sys.Len() != 0 || !destroyed || !errors.Is(err, handlers.ErrSessionClosed) || !errors.Is(cause, handlers.ErrSessionClosed) {
			t.Errorf("%d sessions, destroyed %v, message %v, cause %v", r.sys.Len(), destroyed, err, cause)
		}
		if n := r.sys.stale.Load(); n == 0 {
			t.Error("the answer was not late")
		}
	})
}

// A log that panics does not keep a session alive, nor does it reach the loop.
func TestCrashLog(t *testing.T) {
	r := newRig(t, Config{Log: slog.New(&logbook{panic: true})}, everything, nil)
	want(t, "answers", r.feed("O M")+r.feed("L L N L"), "Oc")
	if r.sys.Len() != 0 || len(r.conn.closed) != 1 {
		t.Errorf("%d sessions, closed %v", r.sys.Len(), r.conn.closed)
	}
}

// A private value that panics when it is destroyed costs nothing but a line.
func TestCrashDestroy(t *testing.T) {
	book := new(logbook)
	r := newRig(t, Config{Log: slog.New(book)}, brief, replies{
		handlers.KindHelo: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
			s.SetPrivate(1, func(any) { panic("cannot") })
			return handlers.Continue
		},
	})
	want(t, "answers", r.feed("O H K H Q"), "Occ")
	want(t, "events", r.events(), "negotiate helo finished helo finished")
	if r.sys.Len() != 0 || len(book.lines) != 1 || book.lines[0].Message != "handler panicked" {
		t.Errorf("%d sessions, log %v", r.sys.Len(), book.lines)
	}
}
