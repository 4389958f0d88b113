package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"

	"millstream/handlers/resolver/dnstest"
)

const short = 200 * time.Millisecond

// positive is what a good server says.
func positive(t *testing.T) func([]byte) [][]byte {
	return replying(t, func(m *dns.Msg) { m.Answer = records(t, m.Question[0].Name+" 60 A 192.0.2.9") })
}

// bad are servers of which none has an answer.
var bad = []struct {
	name   string
	answer func(t *testing.T) func([]byte) [][]byte // nil where nobody listens
	class  error
	text   string
}{
	{"closed", nil, ErrServer, "refused"},
	{"silent", func(*testing.T) func([]byte) [][]byte { return silence }, ErrTimeout, "no answer in time"},
	{"fails", func(t *testing.T) func([]byte) [][]byte {
		return replying(t, func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure })
	}, ErrServer, "SERVFAIL"},
	{"refuses", func(t *testing.T) func([]byte) [][]byte {
		return replying(t, func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeRefused, nil })
	}, ErrServer, "REFUSED"},
	{"refers", func(t *testing.T) func([]byte) [][]byte {
		return replying(t, func(m *dns.Msg) { m.Ns = records(t, "test. 60 NS ns.test.") })
	}, ErrServer, "refers to other servers"},
	{"says nothing", func(t *testing.T) func([]byte) [][]byte {
		return replying(t, func(m *dns.Msg) { m.Question = nil })
	}, ErrServer, "answers 0 questions"},
	{"garbage with our number", func(*testing.T) func([]byte) [][]byte {
		return func(q []byte) [][]byte {
			return [][]byte{append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0}, "\xff\xff\xff\xff"...)}
		}
	}, ErrServer, "cannot be read"},
	{"garbage", func(*testing.T) func([]byte) [][]byte {
		return func([]byte) [][]byte { return [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, {0}} }
	}, ErrTimeout, "no answer in time"},
	{"echo", func(*testing.T) func([]byte) [][]byte {
		return func(q []byte) [][]byte { return [][]byte{q} }
	}, ErrTimeout, "no answer in time"},
	{"cut off, and no TCP", func(t *testing.T) func([]byte) [][]byte {
		return replying(t, func(m *dns.Msg) { m.Truncated = true })
	}, ErrServer, "refused"},
	{"turns in a circle", func(t *testing.T) func([]byte) [][]byte {
		return replying(t, func(m *dns.Msg) { m.Answer = records(t, "x.test. 60 CNAME y.test.", "y.test. 60 CNAME x.test.") })
	}, ErrServer, "more than 16 aliases"},
}

// TestBadServers asks servers that have no answer, alone and with a good one after them.
func TestBadServers(t *testing.T) {
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			addr := closedPort(t)
			if tt.answer != nil {
				addr = dnstest.Serve(t, tt.answer(t)).Addr
			}
			c := newClient(t, Config{Servers: []string{addr}, Attempt: short})
			_, err := c.LookupA(t.Context(), "x.test")
			wantError(t, "alone", err, tt.class, "server "+addr, tt.text)
			good := dnstest.Serve(t, positive(t))
			c = newClient(t, Config{Servers: []string{addr, good.Addr}, Attempt: short})
			got, err := c.LookupA(t.Context(), "y.test")
			want(t, "with another", got, err, netip.MustParseAddr("192.0.2.9"))
		})
	}
}

// TestForged sends responses that are none before one that is.
func TestForged(t *testing.T) {
	s := dnstest.Serve(t, func(query []byte) [][]byte {
		lie := func(edit func(m *dns.Msg)) []byte {
			return reply(t, query, func(m *dns.Msg) {
				m.Answer = records(t, "x.test. 60 A 203.0.113.66")
				edit(m)
			})
		}
		return [][]byte{
			lie(func(m *dns.Msg) { m.Id++ }),
			lie(func(m *dns.Msg) { m.Response = false }),
			lie(func(m *dns.Msg) { m.Question[0].Name = "y.test." }),
			lie(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }),
			lie(func(m *dns.Msg) {
				m.Answer = records(t, "X.test. 60 A 192.0.2.1", "y.test. 60 A 203.0.113.66", "x.test. 60 TXT no")
			}),
		}
	})
	c := newClient(t, Config{Servers: []string{s.Addr}})
	got, err := c.LookupA(t.Context(), "x.test")
	want(t, "among lies", got, err, netip.MustParseAddr("192.0.2.1"))
}

// TestSilentServerIsLast asks the other server first once one was silent.
func TestSilentServerIsLast(t *testing.T) {
	dead, good := dnstest.Serve(t, silence), dnstest.Serve(t, positive(t))
	c := newClient(t, Config{Servers: []string{dead.Addr, good.Addr}, Attempt: short})
	for _, name := range []string{"a.test", "b.test", "c.test"} {
		if _, err := c.LookupA(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d, g := dead.Queries(), good.Queries(); d != 1 || g != 3 {
		t.Errorf("the silent server was asked %d times, the other %d times", d, g)
	}
}

// TestLostDatagram answers the second time.
func TestLostDatagram(t *testing.T) {
	count, answer := 0, positive(t)
	s := dnstest.Serve(t, func(query []byte) [][]byte {
		if count++; count == 1 {
			return nil
		}
		return answer(query)
	})
	c := newClient(t, Config{Servers: []string{s.Addr}, Attempt: short})
	got, err := c.LookupA(t.Context(), "x.test")
	want(t, "again", got, err, netip.MustParseAddr("192.0.2.9"))
}

// TestHangs asks a real server that hangs, goes on and is killed.
func TestHangs(t *testing.T) {
	n := dnstest.Run(t, testZones)
	c := newClient(t, Config{Servers: []string{n.Addr}, Attempt: short, FailureTTL: -1})
	if err := n.Hang(); err != nil {
		t.Fatal(err)
	}
	_, err := c.LookupA(t.Context(), "mail.test")
	wantError(t, "hangs", err, ErrTimeout)
	var other *net.DNSError
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &other) || !other.IsTimeout || !other.IsTemporary || other.IsNotFound {
		t.Errorf("%v, %+v", err, other)
	}
	ctx, cancel := context.WithTimeout(t.Context(), short/5)
	defer cancel()
	_, err = c.LookupA(ctx, "mail.test")
	wantError(t, "deadline of the caller", err, ErrTimeout, "deadline exceeded")
	if err := n.Resume(); err != nil {
		t.Fatal(err)
	}
	c.cfg.Attempt = 5 * time.Second
	got, err := c.LookupA(t.Context(), "mail.test")
	want(t, "goes on", got, err, netip.MustParseAddr("192.0.2.1"))
	n.Stop()
	_, err = c.LookupA(t.Context(), "two.mail.test")
	wantError(t, "is dead", err, ErrServer, "refused")
	got, err = c.LookupA(t.Context(), "mail.test")
	want(t, "still known", got, err, netip.MustParseAddr("192.0.2.1"))
}

// TestFailureIsKept does not ask again for a name whose servers just failed, also if
// nobody waited for the end.
func TestFailureIsKept(t *testing.T) {
	s := dnstest.Serve(t, silence)
	c := newClient(t, Config{Servers: []string{s.Addr}, Attempt: short})
	for range 3 {
		_, err := c.LookupA(t.Context(), "x.test")
		wantError(t, "silent", err, ErrTimeout)
	}
	if n := s.Queries(); n != 2 { // one was repeated
		t.Errorf("%d queries", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), short/5)
	defer cancel()
	_, err := c.LookupA(ctx, "y.test") // says nothing about the servers
	wantError(t, "impatient", err, ErrTimeout)
	if c.cached(question{"y.test.", dns.TypeA}) != nil {
		t.Error("it is kept that a caller did not wait")
	}
}
