package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// limitsOf lists the limits that were reached, with how often if that is more than once.
func limitsOf(sys *System) string {
	var list []string
	for l := range numLimits {
		switch n := sys.Hits(l); n {
		case 0:
		case 1:
			list = append(list, l.String())
		default:
			list = append(list, fmt.Sprintf("%v:%d", l, n))
		}
	}
	return strings.Join(list, " ")
}

// Each limit is counted where it is reached, and none where it is not. Those of a server
// are tested there.
func TestLimits(t *testing.T) {
	slow := func(*handlers.Session, handlers.Event) handlers.Reply {
		time.Sleep(time.Second)
		return handlers.Continue
	}
	never := func(*handlers.Session, handlers.Event) handlers.Reply { return handlers.Async(sleeper(time.Hour)) }
	envelope := handlers.Of(handlers.KindHelo, handlers.KindEnvelopeFrom)
	tests := []struct {
		name, script string
		cfg          Config
		at           func(*handlers.Session, handlers.Event) handlers.Reply // at helo
		do           func(*rig)
		want         string
	}{
		{"none", "O H M R L L E Q", Config{}, nil, nil, ""},
		{"offer", "", Config{}, nil, func(r *rig) { r.tick(31 * time.Second) }, "negotiate-timeout"},
		{"silence", "O H", Config{Timeout: time.Second}, nil, func(r *rig) { r.tick(2 * time.Second) }, "timeout"},
		{"unread", "O H", Config{WriteTimeout: 2 * time.Second}, nil, func(r *rig) {
			r.conn.unsent = 1
			r.feed("H")
			r.tick(5 * time.Second)
		}, "write-timeout"},
		{"unread, and goes on", "O H", Config{MaxOutbound: 9}, nil, func(r *rig) {
			r.conn.unsent = 10
			r.feed("H M")
			r.feed("M")
		}, "outbound"},
		{"handler", "O H", Config{HandlerTimeout: time.Second}, never, func(r *rig) { r.tick(2 * time.Second) }, "handler-timeout"},
		{"inline", "O H", Config{SlowInline: time.Millisecond}, slow, nil, "slow-inline"},
		{"packet", "O H", Config{MaxPacketSize: 100}, nil, func(r *rig) { r.link.Feed([]byte{0, 0, 0, 101, 'L'}) }, "packet-size"},
		{"packet behind another", "O H", Config{MaxPacketSize: 100}, never, func(r *rig) {
			r.link.Feed([]byte{0, 0, 0, 101, 'L'})
			r.tick(301 * time.Second)
		}, "handler-timeout packet-size"},
		{"stranger", "", Config{}, nil, func(r *rig) { r.link.Feed([]byte("GET / HTTP/1.1")) }, ""},
		{"strings", "O H", Config{}, nil, func(r *rig) {
			r.link.Feed((&protocol.MailFrom{Addr: protocol.View("<>"), Params: make(protocol.Params, 200)}).Append(nil))
		}, "strings"},
		{"pending", "O H", Config{MaxPacketSize: 100, MaxPending: 208}, never, func(r *rig) { r.feed(strings.Repeat("M ", 20)) }, "pending"},
		{"workers", "O H", Config{MaxWorkers: 1}, func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			return handlers.Async(sleeper(time.Second))
		}, func(r *rig) {
			other := &fakeConn{t: r.t}
			link := r.loop.Open(other, "other")
			link.Feed(packets("O H"))
			r.tick(5 * time.Second)
			other.run()
			link.Lost(nil, false)
		}, "workers"},
		{"headers", "O M L L L E M L L E", Config{MaxResultHeaders: 2}, nil, nil, "result-headers"},
		{"bytes of headers", "O M L L L E M L L L E", Config{MaxResultHeaderBytes: 10}, nil, nil, "result-headers:2"},
		{"recipients", "O M R R R E", Config{MaxResultRecipients: 2}, nil, nil, "result-recipients"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tt.cfg, envelope, replies{handlers.KindHelo: tt.at})
				r.feed(tt.script)
				synctest.Wait()
				if tt.do != nil {
					tt.do(r)
				}
				want(t, "limits", limitsOf(r.sys), tt.want)
				r.link.Lost(nil, false)
				synctest.Wait()
				r.conn.run()
			})
		})
	}
}

// A change that has to wait for the MTA to read is counted, and told.
func TestLimitOfChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := new(logbook)
		r := newRig(t, Config{MaxOutbound: 10, Log: slog.New(book)}, handlers.Of(handlers.KindEndOfMessage), nil)
		r.feed("O M E")
		s := r.session()
		s.outlet.room(10)
		s.Wait() // there is room
		s.outlet.room(11)
		done := blocked(s.Wait)
		s.outlet.room(0)
		synctest.Wait()
		want(t, "limits", limitsOf(r.sys), "outbound-changes")
		if !*done || len(book.lines) != 1 || attrsOf(book.lines[0])["session"] != fmt.Sprint(s.id) {
			t.Errorf("goes on %v, log %v", *done, book.lines)
		}
		r.link.Lost(nil, false)
	})
}

// A session that ends before its MTA and the filter agree is counted with the reason,
// unless the peer left by itself.
func TestRefusals(t *testing.T) {
	reject := func(*handlers.Session, handlers.Event) handlers.Reply { return handlers.Reject }
	boom := func(*handlers.Session, handlers.Event) handlers.Reply { panic("boom") }
	require := func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
		ev.(*handlers.Negotiation).Require(protocol.ActionChangeFrom)
		return handlers.Continue
	}
	feed := func(b string) func(*rig) { return func(r *rig) { r.link.Feed([]byte(b)) } }
	lost := func(err error, partial bool) func(*rig) { return func(r *rig) { r.link.Lost(err, partial) } }
	tests := []struct {
		name, script string
		negotiate    func(*handlers.Session, handlers.Event) handlers.Reply
		factory      handlers.Factory // if not that of the events
		do           func(*rig)
		want         string
	}{
		{"agreed", "O H Q", nil, nil, nil, ""},
		{"bad after the offer", "O", nil, nil, feed("\x00\x00\x00\x00"), ""},
		{"silent after the offer", "O", nil, nil, func(r *rig) { r.tick(3 * time.Hour) }, ""},
		{"silent", "", nil, nil, func(r *rig) { r.tick(time.Minute) }, "silent"},
		{"http", "", nil, nil, feed("GET / HTTP/1.1"), "garbage"},
		{"no packet", "", nil, nil, feed("\x00\x00\x00\x00"), "garbage"},
		{"out of order", "M", nil, nil, nil, "garbage"},
		{"too old", "O0", nil, nil, nil, "offer"},
		{"handler", "O", reject, nil, nil, "handler"},
		{"handler fails", "O", boom, nil, nil, "handler"},
		{"action", "O2", require, nil, nil, "offer"},
		{"factory", "", nil, func(*handlers.Session) handlers.Handler { panic(protocol.ErrProtocol) }, nil, "handler"},
		{"no handler", "", nil, func(*handlers.Session) handlers.Handler { return nil }, nil, "handler"},
		{"aborted", "", nil, nil, func(r *rig) { _ = r.sys.Abort(r.session().id); r.conn.run() }, "stopping"},
		{"left", "", nil, nil, lost(nil, false), ""},
		{"left within a packet", "", nil, nil, lost(nil, true), ""},
		{"broken", "", nil, nil, lost(errors.New("reset"), false), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &probe{t: t, replies: replies{handlers.KindNegotiate: tt.negotiate}}
				if p.wants = (handlers.Wants{}); tt.negotiate != nil {
					p.wants.Events = handlers.Of(handlers.KindNegotiate)
				}
				f := handlers.Shared(p)
				if tt.factory != nil {
					f = tt.factory
				}
				r := openRig(t, Config{}, f, p)
				r.feed(tt.script)
				if tt.do != nil {
					tt.do(r)
				}
				var got []string
				for why := range numRefusals {
					for range r.sys.Refused(why) {
						got = append(got, why.String())
					}
				}
				want(t, "refused", strings.Join(got, " "), tt.want)
				r.link.Lost(nil, false)
			})
		})
	}
}

// Every error of package protocol has a kind of its own.
func TestBreaches(t *testing.T) {
	var c counts
	for i, b := range breaches {
		if i > 0 {
			c.breach(fmt.Errorf("x: %w", b.err), "")
		}
	}
	c.breach(protocol.ErrPacketTooLarge, "an HTTP request")
	for i := range c.breaches {
		if n := c.breaches[i].Load(); n != 1 {
			t.Errorf("%s: %d", breaches[i].name, n)
		}
	}
}

// What handlers do wrong is no error of the protocol, whatever they say it is.
func TestNoBreach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{}, handlers.Of(handlers.KindHelo, handlers.KindEnvelopeFrom), replies{
			handlers.KindHelo:         func(*handlers.Session, handlers.Event) handlers.Reply { panic(protocol.ErrProtocol) },
			handlers.KindEnvelopeFrom: always(handlers.Failed(context.Canceled)),
		})
		r.feed("O H M")
		for i := range breaches {
			if n := r.sys.counts.breaches[i].Load(); n != 0 {
				t.Errorf("%s: %d", breaches[i].name, n)
			}
		}
		r.link.Lost(nil, false)
	})
}

// Every limit and every refusal has a word of its own.
func TestCountWords(t *testing.T) {
	seen := map[string]bool{}
	note := func(word string) {
		if word == "" || seen[word] || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("word %q", word)
		}
		seen[word] = true
	}
	for l := range numLimits {
		note(l.String())
	}
	clear(seen)
	for r := range numRefusals {
		note(r.String())
	}
}

// What waits for the loop is known: messages, and the sessions that have them.
func TestQueueDepth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{}, 0, nil)
		depth := func(queued, scheduled int64) {
			t.Helper()
			if now := r.sys.totals(); now.queued != queued || now.scheduled != scheduled {
				t.Errorf("%d messages and %d sessions wait, want %d and %d", now.queued, now.scheduled, queued, scheduled)
			}
		}
		other := &fakeConn{t: t}
		link := r.loop.Open(other, "other")
		depth(0, 0)
		r.session().PostUserMessage(&flushed{})
		r.session().PostUserMessage(&flushed{})
		link.(*session).PostUserMessage(&flushed{})
		depth(3, 2)
		r.conn.run()
		depth(1, 1)
		other.run()
		depth(0, 0)
		r.link.Lost(nil, false)
		link.Lost(nil, false)
	})
}
