package actors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// blocked reports whether f is still running when nothing moves any more.
func blocked(f func()) (done *bool) {
	done = new(bool)
	go func() {
		f()
		*done = true
	}()
	synctest.Wait()
	return done
}

// Who has too much on its way waits: until it is written, taken, dropped, or nobody
// is there to take it.
func TestOutletWait(t *testing.T) {
	tests := []struct {
		name string
		free func(*outlet)
		want bool
	}{
		{"nothing", func(*outlet) {}, false},
		{"written and taken", func(o *outlet) { o.take(); o.room(0) }, true},
		{"written, not taken", func(o *outlet) { o.take(); o.room(11) }, false},
		{"room for just so much", func(o *outlet) { o.take(); o.room(10) }, true},
		{"dropped", func(o *outlet) { o.drop() }, true},
		{"closed", func(o *outlet) { o.close() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOutlet(10)
				if !o.add(make([]byte, 6)) || o.add(make([]byte, 5)) {
					t.Error("the loop is to be called once")
				}
				done := blocked(o.wait)
				if *done || !o.waited() {
					t.Error("it does not wait")
				}
				tt.free(o)
				synctest.Wait()
				if *done != tt.want || o.waited() == tt.want {
					t.Errorf("it goes on: %v", *done)
				}
				o.close()
			})
		})
	}
}

// After the end nothing is taken, and nobody waits.
func TestOutletClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutlet(10)
		o.room(100)
		o.close()
		if o.add(make([]byte, 100)) || o.take() != nil {
			t.Error("it takes something")
		}
		if done := blocked(o.wait); !*done {
			t.Error("it waits")
		}
	})
	var none *outlet // of a session without a message
	none.room(1)
	none.drop()
	none.close()
	if none.take() != nil || none.waited() {
		t.Error("something waits in nothing")
	}
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
			for range 2 * all {
				r.conn.unsent = max(0, r.conn.unsent-size)
				r.tick(2 * time.Second)
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
