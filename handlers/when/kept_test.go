package when

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// What is kept of a connection beside the shelf ends with it.
func TestNothingIsKept(t *testing.T) {
	p, err := Compile(`sender == "a@x"`, nil)
	if err != nil {
		t.Fatal(err)
	}
	watch := handlers.Chain(
		handlers.Observe(func(*handlers.Session, *handlers.Timeout) {}),
		handlers.Observe(func(*handlers.Session, *protocol.MailFrom) {}),
	)
	h, err := Handler(p, watch)
	if err != nil {
		t.Fatal(err)
	}
	r := Record("x", handlers.On(func(*handlers.Session, *protocol.Connect) handlers.Reply { return handlers.Failed(errors.New("no")) }))
	met, early := h.(*guard).met, r.(*recorder).early
	s := handlertest.New(t, handlers.Chain(h, r))
	s.Do(&protocol.Connect{Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1")}})
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@x>")})
	if entries(met) != 1 || entries(early) != 1 {
		t.Errorf("kept of the connection: %d, %d", entries(met), entries(early))
	}
	s.Close()
	if entries(met) != 0 || entries(early) != 0 {
		t.Errorf("kept after the connection: %d, %d", entries(met), entries(early))
	}
}

// Nothing is kept of whom a handler was told at once.
func TestNothingToKeep(t *testing.T) {
	p, err := Compile(`sender == "a@x"`, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Handler(p, handlers.Chain(
		handlers.Observe(func(*handlers.Session, *handlers.Established) {}),
		handlers.Observe(func(*handlers.Session, *handlers.Finished) {}),
	))
	if err != nil {
		t.Fatal(err)
	}
	if h.(*guard).met != nil {
		t.Error("who was met is kept")
	}
}

// Of headers and recipients no more is kept than in a Result.
func TestLimits(t *testing.T) {
	limits := &handlers.DefaultResultLimits
	p, err := Compile(`len(headers("X")) == 2 && header_count == 3 && len(rcpts) == 10000 && rcpt_count == 10001`, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	h, err := Handler(p, handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply {
		seen = true
		return handlers.Continue
	}))
	if err != nil {
		t.Fatal(err)
	}
	value := protocol.View(strings.Repeat("x", limits.HeaderBytes*2/5))
	s := handlertest.New(t, h)
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@x>")})
	for range limits.Recipients + 1 {
		s.Do(&protocol.RcptTo{Addr: protocol.View("<b@y>")})
	}
	for range 3 {
		s.Do(&protocol.Header{Name: protocol.View("x"), Value: value})
	}
	if s.EndOfMessage(); !seen {
		t.Error("another number is kept")
	}
}

func entries(m *sync.Map) (n int) {
	m.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}
