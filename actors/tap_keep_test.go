package actors

import (
	"strings"
	"testing"

	"millstream/protocol"
)

// TestTapKeeps checks how much is kept of a session that may match later.
func TestTapKeeps(t *testing.T) {
	body := (&protocol.Body{Chunk: make(protocol.View, 20000)}).Append(nil)
	const keep = 30000 // one such packet and all around it
	for _, tt := range []struct {
		name string
		feed func(r *rig)
		want string
	}{
		{"earlier messages go", func(r *rig) {
			for range 3 {
				r.feed("M R")
				r.link.Feed(body)
				r.feed("E")
			}
			r.feed("M R2")
		}, "session O [O] (16 missed) MR [c][c] B [c] E [c] MR"},
		{"earlier messages go before there is anything of the next", func(r *rig) {
			r.feed("M R")
			k := (*r.session().taps)[0]
			r.link.Feed((&protocol.Body{Chunk: make(protocol.View, keep-k.size-5*tapEventSize)}).Append(nil))
			r.feed("E")
			r.feed("M R2")
		}, "session O [O] (8 missed) MR [c][c]"},
		{"of the message under way, what does not fit", func(r *rig) {
			r.feed("M R")
			r.link.Feed(body)
			r.link.Feed(body)
			r.link.Feed(body)
			r.feed("R2")
		}, "session O [O] MR [c][c] B [c] (4 missed) R"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, tap := tapRig(t, TapFilter{Recipients: []string{"c@example.net"}, Keep: keep}, nil)
			r = r.again()
			r.feed("O")
			tt.feed(r)
			if used := defaultRoom - tap.room; used > keep+2*tapEventSize {
				t.Errorf("%d bytes are kept", used)
			}
			got := heard(t, tap)
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("heard %s, want %s", got, tt.want)
			}
		})
	}
}

// TestTapSlow has a reader that comes late: it is told how much it missed, of packets
// and of sessions, and no more is kept than there is room for.
func TestTapSlow(t *testing.T) {
	const room = 8 * tapEventSize
	r, tap := tapRig(t, TapFilter{Room: room}, nil)
	one := r.again()
	one.feed("O")
	for range 5 {
		one.feed("H")
	}
	one.feed("Q")
	two := r.again()
	want(t, "a session without room", heard(t, tap), "session O [O] H [c] H (8 missed) end (1 missed) missed")
	two.feed("O H Q")
	want(t, "of the session without room", heard(t, tap), "")
	three := r.again()
	three.feed("O")
	want(t, "later", heard(t, tap), "session O [O]")
	three.feed("Q")
	heard(t, tap)
	if tap.room != room {
		t.Errorf("%d bytes are not given back", room-tap.room)
	}
}

// Who listens to one session costs the others nothing, and one that nobody listens to
// costs what it did.
func TestTapAllocs(t *testing.T) {
	sys, loop, conn, link := openNull(t, filter())
	link.Feed(packets("O C H"))
	tap := openTap(t, sys, TapFilter{})
	in := packets("DR R")
	link.Feed(packets("M"))
	if n := allocs(t, func() { link.Feed(in) }); n > 0 {
		t.Errorf("%v allocations of a session that nobody listens to", n)
	}
	if events := tap.take(); len(events) > 0 {
		t.Errorf("heard %s", letters(events))
	}
	heard := loop.Open(conn, "test")
	heard.Feed(packets("O M"))
	if n := allocs(t, func() { heard.Feed(in); tap.take() }); n > 12 { // a copy of each of three packets, and a queue that is new each time
		t.Errorf("%v allocations", n)
	}
}
