package actors

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// The room for changes goes from message to message. Two that end at the same time have
// not the same, whatever is flushed in between, and what is changed too late is nowhere.
func TestChangeRoom(t *testing.T) {
	var last *handlers.Message
	var resolve handlers.Resolve
	r := newRig(t, Config{}, everything&^handlers.Of(handlers.KindNegotiate), replies{
		handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			last = ev.(*handlers.Message)
			return handlers.Progress(func(_ context.Context, f handlers.Resolve) { resolve = f })
		},
	})
	conns := [2]*fakeConn{r.conn, {t: t}}
	links := [2]Link{r.link, r.loop.Open(conns[1], "other")}
	begin := func(i int) (m *handlers.Message, end func() string) {
		links[i].Feed(packets("M E"))
		answer := resolve
		return last, func() string {
			if err := answer(handlers.Continue); err != nil {
				t.Fatal(err)
			}
			conns[i].run()
			return changesOf(t, conns[i])
		}
	}
	for i, l := range links {
		l.Feed(packets("O"))
		conns[i].codes()
	}
	for round := range 3 { // from the second on there is room
		a, endA := begin(0)
		a.AddHeader("A1", "a")
		b, endB := begin(1)
		b.AddHeader("B1", "b")
		a.Flush()
		b.ReplaceBody([]byte("b2"))
		b.Flush()
		a.AddHeader("A2", "a")
		b.ReplaceBody([]byte("b3"))
		want(t, "of b", endB(), "continue B1=b b2 b3 continue")
		c, endC := begin(1)
		c.AddHeader("C1", "c")
		b.AddHeader("late", "b")
		b.Flush()
		a.ReplaceBody([]byte("a3"))
		want(t, "of a", endA(), "continue A1=a A2=a a3 continue")
		a.AddHeader("late", "a")
		c.AddHeader("C2", "c")
		want(t, "of the next one", endC(), "continue C1=c C2=c continue")
		if n := len(r.loop.spare); n != 2 {
			t.Fatalf("round %d: %d works are given back", round, n)
		}
		if one, other := r.loop.spare[0].room[:1], r.loop.spare[1].room[:1]; &one[0] == &other[0] {
			t.Error("two works have the same room")
		}
	}
	links[1].Lost(nil, false)
}

// Room that is large is not kept for the next message, and none is lost to a message
// without an end that handlers are told of.
func TestChangeRoomKept(t *testing.T) {
	size := 0
	r := newRig(t, Config{}, brief, replies{
		handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			ev.(*handlers.Message).AddHeader("X", strings.Repeat("x", size))
			return handlers.Continue
		},
	})
	r.feed("O")
	for _, size = range []int{10, 2 * maxRoom, 10} {
		want(t, "written", r.feed("M E"), "chc")
		room := cap(r.loop.spare[0].room)
		if kept := room > size; kept != (size < maxRoom) || room > maxRoom {
			t.Errorf("room of %d bytes after a change of %d", room, size)
		}
	}
	before := cap(r.loop.spare[0].room)
	other := &fakeConn{t: t}
	r.probe.wants = handlers.Wants{}
	link := r.loop.Open(other, "other")
	link.Feed(packets("O M E"))
	if now := cap(r.loop.spare[0].room); now != before {
		t.Errorf("room of %d bytes after a message without changes, was %d", now, before)
	}
	link.Lost(nil, false)
}

// changesOf returns what was written since the last call, by names and values.
func changesOf(t *testing.T, c *fakeConn) string {
	t.Helper()
	out := c.out
	c.out = nil
	var words []string
	for _, a := range answers(t, out) {
		switch a.Code {
		case protocol.CodeAddHeader:
			words = append(words, fmt.Sprintf("%s=%s", a.Name, a.Value))
		case protocol.CodeReplaceBody:
			words = append(words, a.Value.String())
		default:
			words = append(words, a.Code.String())
		}
	}
	return strings.Join(words, " ")
}
