package actors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// When the connection is gone nobody waits for it to take anything, also while the
// end is still being told.
func TestOutletLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		r := newRig(t, Config{MaxOutbound: 1}, brief, replies{handlers.KindAbort: func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Async(sleeper(time.Hour)) // ends with the connection
		}, handlers.KindFinished: h.reply, handlers.KindEndOfMessage: h.reply})
		r.feed("O M E")
		s := r.session()
		s.outlet.room(100)
		done := blocked(s.Wait)
		r.link.Lost(nil, false)
		synctest.Wait()
		if again := blocked(s.Wait); !*done || !*again || r.sys.Len() != 1 {
			t.Errorf("goes on %v, then %v, %d sessions", *done, *again, r.sys.Len())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		r.conn.run()
		r.sys.CloseAll()
		r.conn.run()
		if r.sys.Len() != 0 {
			t.Error("the session is still there")
		}
	})
}

// Who is known to wait goes on with the next tick after there is room.
func TestOutletSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{MaxOutbound: 10}, handlers.Of(handlers.KindEndOfMessage), nil)
		r.feed("O M E")
		s := r.session()
		s.outlet.room(100)
		done := blocked(s.Wait)
		r.conn.unsent = 100
		r.feed("M E")
		r.tick(2 * tickEvery)
		r.conn.unsent = 0
		r.tick(2 * tickEvery)
		if synctest.Wait(); !*done {
			t.Error("it still waits")
		}
		r.link.Lost(nil, false)
	})
}

// A body that the MTA does not read holds up who writes it, and no more of it waits
// than the limit and one packet.
func TestBackPressure(t *testing.T) {
	const (
		limit = 100 << 10
		size  = 64 << 10
		all   = 20
	)
	body := func(sent *int, gone *bool) func(*handlers.Session, handlers.Event) handlers.Reply {
		return func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			m := ev.(*handlers.Message)
			return handlers.Async(func(context.Context) handlers.Reply {
				for range all {
					m.ReplaceBody(make([]byte, size-5))
					*sent++
				}
				*gone = true
				return handlers.Continue
			})
		}
	}
	open := func(t *testing.T, sent *int, gone *bool) *rig {
		cfg := Config{MaxOutbound: limit, PacketBuffer: -1, Timeout: -1}
		r := newRig(t, cfg, ends|handlers.Of(handlers.KindEndOfMessage), replies{handlers.KindEndOfMessage: body(sent, gone)})
		r.conn.write = func(p []byte) error {
			r.conn.unsent += len(p)
			return nil
		}
		r.feed("O M")
		r.conn.unsent = 0
		r.feed("E")
		for range 10 { // as long as the loop has something to do
			synctest.Wait()
			r.conn.run()
		}
		if *sent != 1 || r.conn.unsent > limit+size {
			t.Errorf("%d pieces sent, %d bytes waiting", *sent, r.conn.unsent)
		}
		return r
	}
	tests := []struct {
		name   string
		do     func(r *rig)
		sent   int // about
		events string
	}{
		{"the MTA reads", func(r *rig) {
			r.tick(2 * time.Second) // somebody is known to wait
			for range 2 * all {
				r.conn.unsent = max(0, r.conn.unsent-size)
				r.tick(3 * tickEvery)
			}
		}, all, "message-processed(continue)"},
		{"abort", func(r *rig) { r.feed("A") }, all, "abort(end-of-message) message-processed(abort)"},
		{"loss", func(r *rig) { r.link.Lost(nil, false) }, all, "abort(end-of-message) message-processed(abort) finished"},
		{"stop", func(r *rig) { r.sys.CloseAll() }, all, "error(none,closed) abort(end-of-message) message-processed(abort) finished(closed)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent int
				var gone bool
				r := open(t, &sent, &gone)
				r.events()
				tt.do(r)
				for range 10 {
					synctest.Wait()
					r.conn.run()
				}
				if !gone || sent != tt.sent {
					t.Errorf("returned %v, %d pieces sent", gone, sent)
				}
				want(t, "events", r.events(), tt.events)
				r.link.Lost(nil, false)
				synctest.Wait()
				r.conn.run()
			})
		})
	}
}
