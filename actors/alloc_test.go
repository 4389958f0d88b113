package actors

import (
	"net"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A nullConn takes everything and keeps nothing.
type nullConn struct {
	peer   net.Addr
	bytes  int
	posted []func()
	tell   chan struct{} // that something was posted, if not nil
}

func (c *nullConn) Write(packets []byte) error {
	c.bytes += len(packets)
	return nil
}
func (*nullConn) Unsent() int            { return 0 }
func (*nullConn) Close(time.Duration)    {}
func (c *nullConn) RemoteAddr() net.Addr { return c.peer }

func (c *nullConn) Post(f func()) error {
	c.posted = append(c.posted, f)
	if c.tell != nil {
		c.tell <- struct{}{}
	}
	return nil
}

// run runs what was posted.
func (c *nullConn) run() {
	for i, f := range c.posted {
		f()
		c.posted[i] = nil
	}
	c.posted = c.posted[:0]
}

// wait runs what is posted until no answer is pending. A function that is quick has
// its answer taken before the turn is over, without a post.
func (c *nullConn) wait(l Link) {
	for l.(*session).hold != holdNothing {
		<-c.tell
		c.run()
	}
}

// filter is what a small filter is: it looks at the envelope and the headers, and
// adds a header.
func filter() handlers.Handler {
	return handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.Connect) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.Data) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Continue }),
		handlers.Observe(func(*handlers.Session, *protocol.Header) {}),
		handlers.On(func(*handlers.Session, *protocol.EndOfHeader) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.Unknown) handlers.Reply { return handlers.Continue }),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Seen", "yes")
			return handlers.Continue
		}),
		handlers.Observe(func(*handlers.Session, *handlers.Response) {}),
	)
}

// openNull opens a session of a filter on a new loop.
func openNull(t testing.TB, h handlers.Handler) (*System, *Loop, *nullConn, Link) {
	sys, err := NewSystem(Config{Log: quiet}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	loop, conn := sys.NewLoop(), &nullConn{peer: &net.UnixAddr{}}
	return sys, loop, conn, loop.Open(conn, "test")
}

// allocs returns how much f allocates once it is under way.
func allocs(t *testing.T, f func()) float64 {
	t.Helper()
	if raceDetector {
		t.Skip("allocations cannot be counted under the race detector")
	}
	f()
	return testing.AllocsPerRun(200, f)
}

// No packet that comes again and again costs an allocation.
func TestPacketAllocs(t *testing.T) {
	for _, tt := range []struct{ name, before, packets string }{
		{"macros", "O", "DM"},
		{"helo", "O", "H"},
		{"recipient", "O M", "R"},
		{"recipient with macros", "O M", "DR R"},
		{"header", "O M", "L"},
		{"headers in one read", "O M", "L DL L L L"},
		{"body", "O M", "B"},
		{"unknown", "O", "U"},
		{"message given up", "O", "M A"},
	} {
		_, _, _, link := openNull(t, filter())
		link.Feed(packets(tt.before))
		in := packets(tt.packets)
		if n := allocs(t, func() { link.Feed(in) }); n > 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

// wholeMessage is a message as an MTA sends it, with all macros, in as many reads as
// there are answers.
var wholeMessage = [][]byte{
	packets("DM M"), packets("DR R"), packets("DR R2"), packets("DT T"), packets("DL L"), packets("DL L"),
	packets("DL L"), packets("DN N"), packets("DB B"), packets("DE E"), packets("A"),
}

// A whole message costs one allocation: what its last event is told with.
func TestMessageAllocs(t *testing.T) {
	_, _, _, link := openNull(t, filter())
	link.Feed(packets("O C H"))
	if n := allocs(t, func() {
		for _, in := range wholeMessage {
			link.Feed(in)
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// A function off the loop costs its copy of the event, its context and the way back.
func TestGoAllocs(t *testing.T) {
	h := handlers.Go(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Continue })
	_, _, conn, link := openNull(t, h)
	conn.tell = make(chan struct{}, 1)
	link.Feed(packets("O M"))
	in := packets("R")
	n := allocs(t, func() {
		link.Feed(in)
		conn.wait(link)
	})
	if n > 15 {
		t.Errorf("%v allocations", n)
	}
}

// To open a connection and to close it has a price of its own.
func TestSessionAllocs(t *testing.T) {
	h := filter()
	_, loop, conn, _ := openNull(t, h)
	first, last := packets("O C H"), packets("Q")
	n := allocs(t, func() {
		link := loop.Open(conn, "test")
		link.Feed(first)
		link.Feed(last)
	})
	if n > 16 {
		t.Errorf("%v allocations", n)
	}
}
