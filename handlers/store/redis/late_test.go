package redis_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"millstream/handlers/store"
	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// What came while Redis was away is told when it is back, though nobody uses it again.
func TestToldAfterwards(t *testing.T) {
	server := start(t)
	s, log := server.share(redis.Config{Retry: 10 * time.Millisecond})
	ctx := t.Context()
	redistest.Eventually(t, "Redis is used", func() bool { return !s.Incr(ctx, "user", 0, hour).Local })
	made, _ := s.SetNX(ctx, "touched", 1, time.Hour)
	server.Kill()
	s.Incr(ctx, "counted", 5, hour)
	s.Set(ctx, "set", 6, time.Hour)
	s.Touch(ctx, "touched", 48*time.Hour)
	redistest.Eventually(t, "Redis is away", func() bool { return log.has(1, away) })
	server.Run()
	redistest.Eventually(t, "Redis is back", func() bool { return log.has(1, back) })
	other, _ := server.share(redis.Config{Refresh: time.Millisecond})
	redistest.Eventually(t, "the count is told", func() bool { return count(other, "counted") == 5 })
	redistest.Eventually(t, "what was set is told", func() bool { m, ok := other.Get(ctx, "set"); return ok && m.Value == 6 })
	redistest.Eventually(t, "the new end is told", func() bool {
		m, ok := other.Get(ctx, "touched")
		return ok && m.Value == 1 && m.First.Equal(made.First) && lasts(m, 47*time.Hour)
	})
}

// What was counted in a window that has ended meanwhile is told, too.
func TestWindowEndsWhileAway(t *testing.T) {
	server := start(t)
	s, log := server.share(redis.Config{Retry: 10 * time.Millisecond})
	server.Kill()
	w := store.Window{Length: 5 * time.Second, Sliding: true}
	counted := s.Incr(t.Context(), "user", 1_000_000, w)
	redistest.Eventually(t, "Redis is away", func() bool { return log.has(1, away) })
	redistest.Eventually(t, "the next window has begun", func() bool { return time.Now().After(counted.Ends) })
	server.Run()
	redistest.Eventually(t, "Redis is back", func() bool { return log.has(1, back) })
	other, _ := server.share(redis.Config{})
	redistest.Eventually(t, "another machine knows of the window before", func() bool {
		total := other.Incr(t.Context(), "user", 0, w)
		if !total.Ends.Equal(counted.Ends.Add(w.Length)) {
			t.Fatal("the window is over, and nothing was told")
		}
		return total.N > 0
	})
}

// Who waits is answered when the time is out, not when connecting is given up, and so is
// who closes the store. Here each of many sentinels takes its time.
func TestConnectingHoldsNobodyUp(t *testing.T) {
	var tried atomic.Int64
	hanging := listen(t, func(c net.Conn) {
		tried.Add(1)
		t.Cleanup(func() { c.Close() })
	})
	cfg := redis.Config{Sentinel: "mymaster", Timeout: 100 * time.Millisecond}
	for range 200 {
		cfg.Addresses = append(cfg.Addresses, hanging)
	}
	s, _ := open(t, cfg)
	for i := range 5000 { // all but the first wait for nothing
		if m, made := s.SetNX(t.Context(), key(i), 1, time.Hour); !made || !m.Local {
			t.Fatalf("%+v, %v", m, made)
		}
	}
	if err := s.Close(); err != nil || tried.Load() >= 200 {
		t.Errorf("%d sentinels were tried: %v", tried.Load(), err)
	}
}

// No more wait than a thousand for the exchange that goes on, and as many for the next.
func TestTooManyWait(t *testing.T) {
	server := start(t)
	s, _ := server.share(redis.Config{Timeout: 24 * time.Hour})
	s.SetNX(t.Context(), "known", 1, time.Hour)
	server.Signal(syscall.SIGSTOP)
	defer server.Signal(syscall.SIGCONT)
	ctx, giveUp := context.WithCancel(t.Context())
	var answered atomic.Int64
	var wg sync.WaitGroup
	for i := range 3000 {
		wg.Go(func() {
			if m, made := s.SetNX(ctx, key(i), 1, time.Hour); !made || !m.Local {
				t.Errorf("%+v, %v", m, made)
			}
			answered.Add(1)
		})
	}
	redistest.Eventually(t, "those that are too many are answered", func() bool { return answered.Load() >= 1000 })
	if n := answered.Load(); n > 2000 {
		t.Errorf("%d were answered: nobody waits", n)
	}
	giveUp()
	wg.Wait()
}
