package greylist_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/handlers"
	"millstream/handlers/greylist"
	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// delay is that of greylists in real time.
const delay = 30 * time.Millisecond

// later is the refusal of these.
const later = "450 4.7.1 later"

// A machine is a greylist with a store of its own on a Redis.
type machine struct {
	handlers.Handler
	*redis.Store
}

// join opens a machine. A Redis may take the time-out to answer.
func join(tb testing.TB, socket string, timeout time.Duration, edit func(*greylist.Settings)) machine {
	tb.Helper()
	leaks := goleak.IgnoreCurrent()
	st, err := redis.Open(redis.Config{
		Addresses: []string{socket}, Timeout: timeout, Retry: 10 * time.Millisecond, Refresh: 20 * time.Millisecond, Log: quiet,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
		redistest.Eventually(tb, "no goroutine is left", func() bool { return goleak.Find(leaks) == nil })
	})
	return machine{filter(tb, st, func(s *greylist.Settings) {
		s.Delay, s.Text, s.Header, s.WhitelistAfter = delay, "later", "X-Greylist", 0
		if edit != nil {
			edit(s)
		}
	}), st}
}

// away reports whether a machine has noticed that Redis has gone.
func (m machine) away(tb testing.TB) bool {
	tb.Helper()
	mark, _ := m.SetNX(tb.Context(), "a mark of the test", 1, time.Hour)
	return mark.Local
}

// delayed waits until a delay has gone since the call, as a client does that is refused.
func delayed() { <-time.After(delay + time.Millisecond) }

// verdict returns the answer to the recipient of a message, without what is at its end.
func verdict(answers []string) string { return answers[0] }

// A client that tries again at another machine passes there, and is then known at all
// of them; so is a network that is known well.
func TestMachines(t *testing.T) {
	socket := redistest.Start(t).Socket
	well := func(s *greylist.Settings) { s.WhitelistAfter = 1 }
	a, b, c := join(t, socket, redistest.Patience, well), join(t, socket, redistest.Patience, well), join(t, socket, redistest.Patience, nil)
	expect(t, "first", send(t, a, client, from, to), later)
	delayed()
	got := send(t, b, client, from, to)
	if verdict(got) != ok || len(got) != 2 || !strings.HasPrefix(got[1], "X-Greylist: delayed ") {
		t.Errorf("at another machine: %q", got)
	}
	redistest.Eventually(t, "the network is known well at the first machine", func() bool {
		return verdict(send(t, a, client, "x@example.com", fmt.Sprint(time.Now().UnixNano(), "@example.net"))) == ok
	})
	expect(t, "known at a third machine", send(t, c, client, from, to), ok) // without a header
}

// While Redis is away who has passed is not delayed; who is new is let through, or has to
// come again to the same machine, as it is set.
func TestAway(t *testing.T) {
	for onLocal, want := range map[string]string{"pass": ok, "delay": later} {
		t.Run(onLocal, func(t *testing.T) {
			server := redistest.Start(t)
			m := join(t, server.Socket, redistest.Patience, func(s *greylist.Settings) { s.OnLocal = onLocal })
			expect(t, "first", send(t, m, client, from, to), later)
			delayed()
			if got := send(t, m, client, from, to); verdict(got) != ok {
				t.Fatalf("second: %q", got)
			}
			expect(t, "on its way", send(t, m, client, "x@example.com", to), later)
			server.Kill()
			redistest.Eventually(t, "it is known that Redis has gone", func() bool { return m.away(t) })
			expect(t, "known", send(t, m, client, from, to), ok)
			expect(t, "new", send(t, m, client, "y@example.com", to), want)
			delayed()
			for _, sender := range []string{"x@example.com", "y@example.com"} {
				if got := send(t, m, client, sender, to); verdict(got) != ok || len(got) != 2 {
					t.Errorf("%s came again: %q", sender, got)
				}
			}
		})
	}
}

// While Redis is away no message counts for its network: what was counted there would be
// overwritten.
func TestAwayDoesNotCount(t *testing.T) {
	m := join(t, "/dev/null/none", time.Second, func(s *greylist.Settings) { s.OnLocal, s.WhitelistAfter = "delay", 1 })
	expect(t, "first", send(t, m, client, from, to), later)
	delayed()
	if got := send(t, m, client, from, to); verdict(got) != ok {
		t.Errorf("came again: %q", got)
	}
	expect(t, "another", send(t, m, client, "x@example.com", to), later)
}

// A Redis that hangs holds nobody longer than the time-out.
func TestHangs(t *testing.T) {
	for onLocal, want := range map[string]string{"pass": ok, "delay": later} {
		server := redistest.Start(t)
		m := join(t, server.Socket, 50*time.Millisecond, func(s *greylist.Settings) { s.OnLocal = onLocal })
		redistest.Eventually(t, "Redis is used", func() bool { return !m.away(t) })
		server.Signal(syscall.SIGSTOP)
		expect(t, "new", send(t, m, client, from, to), want)
		delayed()
		if got := send(t, m, client, from, to); verdict(got) != ok {
			t.Errorf("%s: came again: %q", onLocal, got)
		}
		server.Signal(syscall.SIGCONT)
	}
}

// A Redis that comes back with its data has lost nobody; one without begins anew with who
// comes to a machine that has not met him, once, and delays nobody twice at the machine
// at which he was.
func TestRestarted(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string // at the other machine
	}{
		"with its data": {[]string{"--appendonly", "yes", "--appendfsync", "always"}, ok},
		"without":       {nil, later},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, tt.args...)
			a, b := join(t, server.Socket, redistest.Patience, nil), join(t, server.Socket, redistest.Patience, nil)
			expect(t, "first", send(t, a, client, from, to), later)
			expect(t, "first", send(t, a, client, "x@example.com", to), later)
			delayed()
			server.Kill()
			redistest.Eventually(t, "it is known that Redis has gone", func() bool { return a.away(t) && b.away(t) })
			server.Run()
			redistest.Eventually(t, "Redis is back", func() bool { return !a.away(t) && !b.away(t) })
			if got := send(t, a, client, from, to); verdict(got) != ok {
				t.Errorf("at the same machine: %q", got)
			}
			if got := verdict(send(t, b, client, "x@example.com", to)); got != tt.want {
				t.Errorf("at another machine: %q, want %q", got, tt.want)
			}
			delayed()
			if got := send(t, b, client, "x@example.com", to); verdict(got) != ok {
				t.Errorf("at another machine again: %q", got)
			}
		})
	}
}

// Redis is killed and comes back, empty, while two machines take mail. No message is lost:
// each is taken in the end. Clients that stay at a machine are delayed once, those that go
// from one to the other once at each.
func TestKilledUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	machines := [2]machine{
		join(t, server.Socket, 100*time.Millisecond, nil), join(t, server.Socket, 100*time.Millisecond, nil),
	}
	var sent atomic.Int64
	var refused [3]atomic.Int64 // messages by how often they were
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			stays := w%2 == 0
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				sender := fmt.Sprintf("%d.%d@example.com", w, i)
				times := tries(t, machines, w/2, stays, sender)
				if times > 2 || stays && times > 1 {
					t.Errorf("%s was delayed %d times; it stays at a machine: %v", sender, times, stays)
					return
				}
				refused[times].Add(1)
				sent.Add(1)
			}
		})
	}
	for range 3 {
		more := func(n int64) {
			t.Helper()
			before := sent.Load()
			redistest.Eventually(t, "mail flows", func() bool { return sent.Load() >= before+n })
		}
		more(20)
		server.Kill()
		redistest.Eventually(t, "it is known that Redis has gone", func() bool { return machines[0].away(t) && machines[1].away(t) })
		more(20)
		server.Run()
		redistest.Eventually(t, "Redis is back", func() bool { return !machines[0].away(t) && !machines[1].away(t) })
	}
	close(stop)
	workers.Wait()
	t.Logf("%d messages were taken: %d at once, %d when they came again, %d the third time",
		sent.Load(), refused[0].Load(), refused[1].Load(), refused[2].Load())
}

// tries sends a message until it is taken, to the same machine or to each in turn, and
// returns how often it was refused.
func tries(t *testing.T, machines [2]machine, at int, stays bool, sender string) (refused int) {
	t.Helper()
	for ; refused < 5; refused++ {
		m := machines[at%2]
		if !stays {
			at++
		}
		switch got := verdict(send(t, m, client, sender, to)); got {
		case ok:
			return refused
		case later:
			delayed()
		default:
			t.Errorf("%s is told %q", sender, got)
			return refused
		}
	}
	return refused
}
