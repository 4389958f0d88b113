package actors

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A write that fails is the end of the connection, told by Lost: within the write,
// or later. Nothing more is written, and the connection is not closed again.
func TestWriteFails(t *testing.T) {
	tests := []struct {
		name, script string
		within       bool // Lost comes within the write
		events       string
	}{
		{"within", "O M", true, "error(none,io) abort(envelope-from-replied) message-processed(abort) finished(io)"},
		{"later", "O M", false, "error(none,io) abort(envelope-from-replied) message-processed(abort) finished(io)"},
		{"before a quit", "O M E Q", true, "message-processed(continue) finished"},
		{"before a message", "O M E M", true, "message-processed(continue) error(none,io) " +
			"abort(envelope-from-replied) message-processed(abort) finished(io)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{}, ends, nil)
			r.conn.write = func([]byte) error {
				if r.conn.writes > 1 {
					t.Error("written again")
				}
				if tt.within {
					r.link.Lost(io.ErrClosedPipe, false)
				}
				return io.ErrClosedPipe
			}
			r.feed(tt.script)
			if !tt.within {
				r.link.Lost(io.ErrClosedPipe, false)
			}
			want(t, "events", r.events(), tt.events)
			if len(r.conn.closed) != 0 || r.sys.Len() != 0 || r.session().outBytes.Load() != 0 {
				t.Errorf("closed %v, %d sessions", r.conn.closed, r.sys.Len())
			}
		})
	}
}

// A connection is closed once, with time for its last output unless the MTA has left
// by itself. What it tells of that is nothing late.
func TestClose(t *testing.T) {
	for _, tt := range []struct {
		script       string
		unsent       int
		linger, want time.Duration
	}{
		{"O M O", 0, 0, 5 * time.Second},
		{"O M O", 0, -1, 0},
		{"O M O", 0, time.Second, time.Second},
		{"O M Q", 0, time.Second, 0},
		{"O M Q", 1, time.Second, time.Second},
	} {
		r := newRig(t, Config{Linger: tt.linger}, ends, nil)
		r.conn.unsent = tt.unsent
		r.conn.close = func() { r.link.Lost(nil, false) }
		want(t, "answers", r.feed(tt.script), "Oc")
		if len(r.conn.closed) != 1 || r.conn.closed[0] != tt.want {
			t.Errorf("%s, linger %v: closed %v", tt.script, tt.linger, r.conn.closed)
		}
		r.link.Lost(nil, false)
		if n := r.sys.stale.Load(); n != 0 {
			t.Errorf("%d messages were late", n)
		}
		if n, macro := r.link.Feed(packets("H DM")); n != len(packets("H DM")) || macro {
			t.Errorf("bytes after the end: %d, %v", n, macro)
		}
		want(t, "written after the end", r.conn.codes(), "")
	}
}

// An MTA that does not read is closed: if it takes nothing for too long, or sends on
// while too much waits for it.
func TestUnsent(t *testing.T) {
	const full = 100
	tests := []struct {
		name   string
		cfg    Config
		do     func(*rig)
		events string
	}{
		{
			"takes nothing",
			Config{WriteTimeout: 10 * time.Second},
			func(r *rig) { r.tick(12 * time.Second) },
			"error(none,io) abort(envelope-from-replied) message-processed(abort) finished(io)",
		},
		{"takes a little", Config{WriteTimeout: 10 * time.Second}, func(r *rig) {
			for range 10 {
				r.tick(5 * time.Second)
				r.conn.unsent--
			}
		}, ""},
		{"takes, and gets more", Config{WriteTimeout: 10 * time.Second}, func(r *rig) {
			for range 10 {
				r.tick(5 * time.Second)
				r.conn.unsent += 2 // five more, less three
				r.feed("U")
			}
		}, ""},
		{"takes it all", Config{WriteTimeout: 10 * time.Second}, func(r *rig) {
			r.conn.unsent = 0
			r.tick(time.Minute)
		}, ""},
		{"off", Config{WriteTimeout: -1, Timeout: -1}, func(r *rig) { r.tick(time.Minute) }, ""},
		{
			"sends on",
			Config{MaxOutbound: full - 1},
			func(r *rig) { r.feed("R") },
			"error(none,io) abort(envelope-from-replied) message-processed(abort) finished(io)",
		},
		{"may send on", Config{MaxOutbound: full}, func(r *rig) { r.feed("R") }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tt.cfg, ends, nil)
				r.conn.unsent = full
				r.feed("O M")
				tt.do(r)
				want(t, "events", r.events(), tt.events)
				r.link.Lost(nil, false)
			})
		})
	}
}

// An MTA that does not read is closed also while an answer is pending: it is not
// written any more.
func TestUnsentPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		r := newRig(t, Config{WriteTimeout: time.Second}, ends|handlers.Of(handlers.KindHelo), replies{handlers.KindHelo: h.reply})
		r.conn.unsent = 1
		r.feed("O H")
		r.tick(3 * time.Second)
		want(t, "events", r.events(), "helo error(none,io) finished(io)")
		if !errors.Is(context.Cause(h.ctx), handlers.ErrSessionClosed) {
			t.Errorf("cause %v", context.Cause(h.ctx))
		}
	})
	r := newRig(t, Config{MaxOutbound: 1}, ends|handlers.Of(handlers.KindHelo), replies{handlers.KindHelo: (&held{}).reply})
	r.conn.unsent = 2
	r.feed("O H")
	r.events()
	r.feed("M")
	want(t, "events", r.events(), "error(none,io) finished(io)")
}

// A read that ends with macros may want an acknowledgement; no other.
func TestFeedMacro(t *testing.T) {
	var h held
	r := newRig(t, Config{}, brief, replies{handlers.KindHelo: h.reply})
	tests := []struct {
		in   []byte
		n    int
		want bool
	}{
		{packets("O DC"), 17 + 11, true},
		{packets("C")[:5], 0, false},
		{packets("C"), len(packets("C")), false},
		{append(packets("DH"), 0, 0), len(packets("DH")), false},
		{packets("DH"), len(packets("DH")), true},
		{packets("H DM"), len(packets("H DM")), false}, // it waits for an answer
	}
	for _, tt := range tests {
		n, macro := r.link.Feed(tt.in)
		if n != tt.n || macro != tt.want {
			t.Errorf("%q: %d, %v, want %d, %v", tt.in, n, macro, tt.n, tt.want)
		}
	}
	want(t, "answers", r.conn.codes(), "Oc")
}

func TestPeerOf(t *testing.T) {
	ip := netip.MustParseAddr
	tests := []struct {
		addr net.Addr
		want protocol.Addr
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}, protocol.Addr{Family: protocol.FamilyInet, IP: ip("192.0.2.1"), Port: 25}},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1")}, protocol.Addr{Family: protocol.FamilyInet6, IP: ip("2001:db8::1")}},
		{&net.TCPAddr{}, protocol.Addr{Family: protocol.FamilyUnknown}},
		{&net.UnixAddr{Name: "@"}, protocol.Addr{Family: protocol.FamilyUnix}},
		{&net.UnixAddr{Name: "/run/mta"}, protocol.Addr{Family: protocol.FamilyUnix, Path: "/run/mta"}},
		{protocol.Addr{Family: protocol.FamilyUnix}, protocol.Addr{Family: protocol.FamilyUnix}},
		{&net.IPAddr{}, protocol.Addr{Family: protocol.FamilyUnknown}},
		{nil, protocol.Addr{Family: protocol.FamilyUnknown}},
	}
	for _, tt := range tests {
		if got := peerOf(tt.addr); got != tt.want {
			t.Errorf("%v: %+v, want %+v", tt.addr, got, tt.want)
		}
	}
}
