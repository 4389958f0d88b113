package resolver

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"millstream/handlers/resolver/dnstest"
)

// await waits until so many callers wait for the A of a name.
func await(t *testing.T, c *Client, name string, callers int) {
	t.Helper()
	for t.Context().Err() == nil {
		c.mu.Lock()
		f := c.flights[question{name, dns.TypeA}]
		there := f == nil && callers == 0 || f != nil && f.waiting == callers
		c.mu.Unlock()
		if there {
			return
		}
		runtime.Gosched()
	}
}

// TestMerged has many callers ask the same: one query is sent.
func TestMerged(t *testing.T) {
	goOn, answer := make(chan struct{}), positive(t)
	s := dnstest.Serve(t, func(query []byte) [][]byte {
		<-goOn
		return answer(query)
	})
	c := newClient(t, Config{Servers: []string{s.Addr}, Cache: -1})
	const callers = 20
	errs := make(chan error, callers)
	for range callers {
		go func() {
			got, err := c.LookupA(t.Context(), "x.test")
			if err == nil && len(got) != 1 {
				err = errors.New("no address")
			}
			errs <- err
		}()
	}
	await(t, c, "x.test.", callers)
	close(goOn)
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := s.Queries(); n != 1 {
		t.Errorf("%d queries", n)
	}
	if _, err := c.LookupA(t.Context(), "x.test"); err != nil || s.Queries() != 2 {
		t.Errorf("without a cache: %v, %d queries", err, s.Queries())
	}
}

// TestLeaving has callers give up one after the other: the rest get the answer, and
// after the last of them nothing is left.
func TestLeaving(t *testing.T) {
	goOn, answer := make(chan struct{}), positive(t)
	s := dnstest.Serve(t, func(query []byte) [][]byte {
		<-goOn
		return answer(query)
	})
	leaks := goleak.IgnoreCurrent()
	c := newClient(t, Config{Servers: []string{s.Addr}, Attempt: time.Minute, Timeout: time.Minute})
	look := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := c.LookupA(ctx, "x.test")
			done <- err
		}()
		return done
	}
	why := errors.New("the message was given up")
	first, leaveFirst := context.WithCancelCause(t.Context())
	firstDone := look(first)
	await(t, c, "x.test.", 1)
	second, leaveSecond := context.WithCancelCause(t.Context())
	secondDone := look(second)
	await(t, c, "x.test.", 2)
	leaveFirst(why)
	wantError(t, "first", <-firstDone, why)
	await(t, c, "x.test.", 1)
	leaveSecond(why)
	wantError(t, "second", <-secondDone, why)
	await(t, c, "x.test.", 0)
	goleak.VerifyNone(t, leaks)
	thirdDone := look(t.Context())
	await(t, c, "x.test.", 1)
	close(goOn)
	if err := <-thirdDone; err != nil {
		t.Errorf("after them: %v", err)
	}
}

// TestMaxQueries has a name wait for its turn in vain, which is not kept.
func TestMaxQueries(t *testing.T) {
	s := dnstest.Serve(t, positive(t))
	c := newClient(t, Config{Servers: []string{s.Addr}, Timeout: short, MaxQueries: 1})
	c.slots <- struct{}{} // another name
	_, err := c.LookupA(t.Context(), "x.test")
	wantError(t, "no turn", err, ErrTimeout, "raise the limit")
	<-c.slots
	got, err := c.LookupA(t.Context(), "x.test")
	want(t, "its turn", got, err, netip.MustParseAddr("192.0.2.9"))
}

// TestCache keeps answers as long as they and the limits say.
func TestCache(t *testing.T) {
	soa := func(ttl string) string { return "test. " + ttl + " SOA ns.test. root.test. 1 1 1 1 40" }
	tests := []struct {
		name string
		edit func(m *dns.Msg)
		want time.Duration
	}{
		{"TTL", func(m *dns.Msg) { m.Answer = records(t, "x.test. 60 A 192.0.2.1", "x.test. 50 A 192.0.2.2") }, 50 * time.Second},
		{"alias", func(m *dns.Msg) { m.Answer = records(t, "x.test. 30 CNAME y.test.", "y.test. 50 A 192.0.2.2") }, 30 * time.Second},
		{"limit", func(m *dns.Msg) { m.Answer = records(t, "x.test. 6000 A 192.0.2.1") }, 100 * time.Second},
		{"zero", func(m *dns.Msg) { m.Answer = records(t, "x.test. 0 A 192.0.2.1") }, 0},
		{"sign bit", func(m *dns.Msg) { m.Answer = records(t, "x.test. 2147483648 A 192.0.2.1") }, 0},
		{"no name", func(m *dns.Msg) { m.Rcode, m.Ns = dns.RcodeNameError, records(t, soa("70")) }, 40 * time.Second},
		{"no record", func(m *dns.Msg) { m.Ns = records(t, soa("35")) }, 35 * time.Second},
		{"negative limit", func(m *dns.Msg) { m.Ns = records(t, "test. 700 SOA ns.test. root.test. 1 1 1 1 700") }, 45 * time.Second},
		{"no SOA", func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, Config{Servers: []string{"127.0.0.1"}, MaxTTL: 100 * time.Second, MaxNegative: 45 * time.Second})
				q := question{"x.test.", dns.TypeA}
				m := new(dns.Msg)
				tt.edit(m)
				a, err := q.parse(m)
				if err != nil {
					t.Fatal(err)
				}
				c.keep(q, a)
				if tt.want > 0 {
					time.Sleep(tt.want - time.Millisecond)
					if c.cached(q) != a {
						t.Error("it is not kept long enough")
					}
					time.Sleep(time.Millisecond)
				}
				if c.cached(q) != nil {
					t.Error("it is kept too long")
				}
			})
		})
	}
}

// TestCacheRoom fills the cache: it does not grow over its limit, and large answers take
// more room.
func TestCacheRoom(t *testing.T) {
	const room = 100
	count := func(size int) (n int) {
		c := newClient(t, Config{Servers: []string{"127.0.0.1"}, Cache: room})
		for i := range 10 * room {
			c.keep(question{name: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String()}, &answer{ttl: time.Minute, size: size})
		}
		for i := range 10 * room {
			if c.cached(question{name: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String()}) != nil {
				n++
			}
		}
		return n
	}
	if n := count(0); n > room || n < room/2 {
		t.Errorf("%d small answers", n)
	}
	if n := count(9 * unit); n > room/10 || n == 0 {
		t.Errorf("%d large answers", n)
	}
}
