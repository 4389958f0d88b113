package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func openTap(t testing.TB, sys *System, f TapFilter) *Tap {
	t.Helper()
	tap, err := sys.Tap(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tap.Close)
	return tap
}

// tapRig is a rig whose sessions are opened by the test, and a tap of them.
func tapRig(t *testing.T, f TapFilter, r replies) (*rig, *Tap) {
	t.Helper()
	rig := newRig(t, Config{}, brief, r)
	return rig, openTap(t, rig.sys, f)
}

// again opens another session of the rig.
func (r *rig) again() *rig {
	more := *r
	more.conn = &fakeConn{t: r.t}
	more.link = r.loop.Open(more.conn, "fake")
	more.conn.link = more.link
	return &more
}

// heard returns what there is to read in letters: the code of a packet, in brackets
// what the server said, and a word for all else. What joins is not parted by a space.
func heard(t testing.TB, tap *Tap) string {
	t.Helper()
	return letters(tap.take())
}

func letters(events []TapEvent) string {
	var b strings.Builder
	for _, e := range events {
		if e.Missed > 0 {
			fmt.Fprintf(&b, " (%d missed)", e.Missed)
		}
		if !e.Joined {
			b.WriteByte(' ')
		}
		switch e.Kind {
		case TapSent:
			b.WriteByte(e.Packet[4])
		case TapAnswered:
			fmt.Fprintf(&b, "[%c]", e.Packet[4])
		default:
			b.WriteString(string(e.Kind))
		}
	}
	return strings.TrimSpace(b.String())
}

// TestTap hears a whole session, as it was read and written.
func TestTap(t *testing.T) {
	r, tap := tapRig(t, TapFilter{}, replies{handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
		ev.(*handlers.Message).AddHeader("X-Test", "yes")
		return handlers.Accept
	}})
	r.feed("O C")
	want(t, "the session that was there", heard(t, tap), "")
	r = r.again()
	r.feed("O")
	r.feed("DC C H")
	r.feed("DM M R")
	r.feed("E")
	r.feed("Q")
	want(t, "heard", heard(t, tap), "session O [O] DCH [c][c] DMR [c][c] E [h][a] Q closed end")
	want(t, "after the end", heard(t, tap), "")
}

// TestTapEnds has the ways in which a connection ends.
func TestTapEnds(t *testing.T) {
	for _, tt := range []struct {
		end  func(r *rig)
		want string
	}{
		{func(r *rig) { r.link.Lost(nil, false) }, "left end"},
		{func(r *rig) { r.link.Lost(io.ErrUnexpectedEOF, false) }, "reset end"},
		{func(r *rig) { r.link.Feed([]byte{0, 0, 0, 0, 1}) }, "\x01 closed end"},
		{func(r *rig) { r.link.Feed([]byte{0, 0, 0, 1, 'x'}) }, "x closed end"},
		{func(r *rig) { _ = r.sys.Abort(r.session().id); r.conn.run() }, "closed end"},
	} {
		r, tap := tapRig(t, TapFilter{}, nil)
		r = r.again()
		r.feed("O")
		heard(t, tap)
		tt.end(r)
		want(t, "the end", heard(t, tap), tt.want)
	}
}

// clientAt is the command connect of an address.
func clientAt(addr string) []byte {
	ip := netip.MustParseAddr(addr)
	a := protocol.Addr{Family: protocol.FamilyInet, IP: ip, Port: 25}
	if ip.Is6() {
		a.Family = protocol.FamilyInet6
	}
	return (&protocol.Connect{Host: protocol.View("client.example"), Addr: a}).Append(nil)
}

// TestTapMatches has filters, and what is heard of a session of two SMTP clients.
func TestTapMatches(t *testing.T) {
	nets := func(list ...string) (p []netip.Prefix) {
		for _, n := range list {
			p = append(p, netip.MustParsePrefix(n))
		}
		return p
	}
	const (
		greeted = "session O [O] C [c] "
		first   = "DM [c] R [c] DE [a] "
		second  = "M [c] R [c] DE [a] "
		third   = "C [c] M [c] R [c] A Q closed end"
	)
	tests := []struct {
		name   string
		filter TapFilter
		want   string
	}{
		{"all", TapFilter{}, greeted + first + second + "K " + third},
		{"client", TapFilter{Clients: nets("10.0.0.0/8", "192.0.2.0/24")}, greeted + first + second + "K " + third},
		{"the other client", TapFilter{Clients: nets("2001:db8::/32")}, "session O [O] " + third},
		{"no client", TapFilter{Clients: nets("198.51.100.0/24")}, ""},
		{"sender", TapFilter{From: []string{"@example.com"}}, greeted + first + second + "K " + third},
		{"recipient", TapFilter{Recipients: []string{"b@example.net"}}, greeted + first + second + "K " + third},
		{"no sender", TapFilter{From: []string{"<>"}}, ""},
		{"queue id at MAIL", TapFilter{QueueIDs: []string{"QM"}}, greeted + first + second + "K " + third},
		{"queue id at the end", TapFilter{QueueIDs: []string{"none", "QE"}}, greeted + first + second + "K " + third},
		{"sender and client", TapFilter{Clients: nets("2001:db8::/32"), From: []string{"@example.com"}}, "session O [O] " + third},
		{"sender and queue id", TapFilter{QueueIDs: []string{"QM"}, From: []string{"a@*"}}, greeted + first + second + "K " + third},
		{"of two messages", TapFilter{QueueIDs: []string{"QM"}, Recipients: []string{"c@example.net"}}, ""},
		{"of the second", TapFilter{QueueIDs: []string{"QE"}, Recipients: []string{"c@example.net"}}, greeted + first + second + "K " + third},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, tap := tapRig(t, tt.filter, replies{handlers.KindEndOfMessage: always(handlers.Accept)})
			r = r.again()
			r.feed("O")
			r.link.Feed(clientAt("192.0.2.1"))
			for in := range strings.SplitSeq("DM M,R,DE E,M,R2,DE E,K", ",") {
				r.feed(in)
			}
			r.link.Feed(clientAt("2001:db8::1"))
			for in := range strings.SplitSeq("M,R,A,Q", ",") {
				r.feed(in)
			}
			want(t, "heard", heard(t, tap), tt.want)
			if tap.room != defaultRoom {
				t.Errorf("%d bytes are not given back", defaultRoom-tap.room)
			}
		})
	}
}

// TestTapCloses closes a tap in the middle of a session, and while it is read.
func TestTapCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, tap := tapRig(t, TapFilter{}, nil)
		r = r.again()
		r.feed("O")
		events, err := tap.Read(t.Context())
		if want(t, "read", letters(events), "session O [O]"); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := tap.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing to read: %v", err)
		}
		var reading sync.WaitGroup
		reading.Go(func() {
			if _, err := tap.Read(t.Context()); !errors.Is(err, io.EOF) {
				t.Errorf("closed: %v", err)
			}
		})
		synctest.Wait()
		tap.Close()
		reading.Wait()
		want(t, "answers", r.feed("H Q"), "c")
		if got := heard(t, tap); got != "" || r.again().session().taps != nil {
			t.Errorf("heard %s after the end", got)
		}
		if _, err := tap.Read(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("read after the end: %v", err)
		}
	})
}

// TestTapOwns checks that what is heard is a copy, and that of several taps each hears
// all.
func TestTapOwns(t *testing.T) {
	r, tap := tapRig(t, TapFilter{}, nil)
	other := openTap(t, r.sys, TapFilter{})
	r = r.again()
	in := packets("O H")
	r.link.Feed(in)
	clear(in)
	events := tap.take()
	if got := string(events[2].Packet); got != string(packets("H")) {
		t.Errorf("packet %q", got)
	}
	if e := events[0]; e.Session != r.session().id || e.Listener != "fake" || e.Began.IsZero() {
		t.Errorf("session %+v", e)
	}
	want(t, "heard by the other", heard(t, other), letters(events))
	if !slices.IsSortedFunc(events, func(a, b TapEvent) int { return int(a.At - b.At) }) {
		t.Errorf("times of %+v", events)
	}
}

// TestTapWaits has a packet come while an answer is pending, and an answer that comes
// later.
func TestTapWaits(t *testing.T) {
	var h held
	r, tap := tapRig(t, TapFilter{}, replies{handlers.KindHelo: h.reply})
	r = r.again()
	r.feed("O H")
	r.feed("DM M")
	want(t, "while it waits", heard(t, tap), "session OH [O] DM")
	if err := h.resolve(handlers.Continue); err != nil {
		t.Error(err)
	}
	r.conn.run()
	want(t, "later", heard(t, tap), "[c][c]")
}
