package redis_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// Redis is killed and comes back while calls go on. Each of them is answered, and what
// was counted meanwhile is not lost.
func TestKilledUnderLoad(t *testing.T) {
	server := start(t)
	cfg := redis.Config{Timeout: 100 * time.Millisecond, Retry: 20 * time.Millisecond, Addresses: []string{server.Socket}}
	s, log := open(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	var counted, alone, shared atomic.Int64
	var longest [4]time.Duration
	var wg sync.WaitGroup
	for worker := range longest {
		wg.Go(func() {
			for i := worker; ctx.Err() == nil; i += len(longest) {
				begun := time.Now()
				if m, _ := s.SetNX(context.Background(), key(i), 0, time.Hour); m.First.IsZero() {
					t.Error("SetNX gave no mark")
					return
				} else if m.Local {
					alone.Add(1)
				} else {
					shared.Add(1)
				}
				s.Incr(context.Background(), "all", 1, hour)
				counted.Add(1)
				longest[worker] = max(longest[worker], time.Since(begun))
			}
		})
	}
	for outage := 1; outage <= 3; outage++ {
		before := shared.Load()
		redistest.Eventually(t, "Redis is used", func() bool { return shared.Load() > before+500 })
		server.Kill()
		redistest.Eventually(t, "it is told that Redis has gone", func() bool { return log.has(outage, away) })
		before = alone.Load()
		redistest.Eventually(t, "this machine decides alone", func() bool { return alone.Load() > before })
		server.Run()
		redistest.Eventually(t, "it is told that Redis is back", func() bool { return log.has(outage, back) })
	}
	cancel()
	wg.Wait()
	t.Logf("%d calls, %d answered by this machine alone; a pair of them took at most %v", counted.Load(), alone.Load(), longest)
	other, _ := open(t, cfg)
	redistest.Eventually(t, "another machine knows of all", func() bool { return count(other, "all") == counted.Load() })
	if strings.Count(log.String(), "\n") != 6 {
		t.Errorf("the log has more than two lines for each outage:\n%s", log)
	}
}

// A Redis that does not answer holds up nobody longer than the time-out: those that do
// not wait not at all, whatever the time-out.
func TestHangingHoldsNobodyUp(t *testing.T) {
	server := start(t)
	s, _ := server.share(redis.Config{Timeout: 24 * time.Hour})
	ctx := t.Context()
	s.SetNX(ctx, "known", 1, time.Hour)
	server.Signal(syscall.SIGSTOP)
	defer server.Signal(syscall.SIGCONT)
	for i := range 100 {
		s.Incr(ctx, key(i), 1, hour)
		s.Take(ctx, key(i), 1, 10, hour)
		s.Set(ctx, key(i), 1, time.Hour)
		s.Touch(ctx, key(i), time.Hour)
	}
	if m, ok := s.Get(ctx, "known"); !ok || m.Value != 1 {
		t.Errorf("%+v, %v: a mark that is known here is asked for", m, ok)
	}
	given, cancel := context.WithCancel(ctx)
	cancel()
	if m, made := s.SetNX(given, "unknown", 1, time.Hour); !made || !m.Local {
		t.Errorf("%+v, %v of a call that was given up", m, made)
	}
}

// What waits for a Redis that hangs is answered when the time is out. When it goes on,
// what was made alone is told.
func TestHanging(t *testing.T) {
	server := start(t)
	cfg := redis.Config{Timeout: 50 * time.Millisecond, Retry: 20 * time.Millisecond, Addresses: []string{server.Socket}}
	s, log := open(t, cfg)
	ctx := t.Context()
	redistest.Eventually(t, "Redis is used", func() bool { return !s.Incr(ctx, "user", 0, hour).Local })
	server.Signal(syscall.SIGSTOP)
	m, made := s.SetNX(ctx, "mark", 5, time.Hour)
	if !made || !m.Local {
		t.Errorf("%+v, %v of a Redis that hangs", m, made)
	}
	s.Incr(ctx, "user", 9, hour)
	redistest.Eventually(t, "it is told that Redis has gone", func() bool { return log.has(1, away) })
	if total := s.Incr(ctx, "user", 0, hour); !total.Local || total.N != 9 {
		t.Errorf("%+v: it is not told that this machine is alone", total)
	}
	server.Signal(syscall.SIGCONT)
	redistest.Eventually(t, "it is told that Redis is back", func() bool { return log.has(1, back) })
	redistest.Eventually(t, "the mark is confirmed", func() bool { m, _ := s.Get(ctx, "mark"); return !m.Local })
	other, _ := server.share(redis.Config{})
	if found, ok := other.Get(ctx, "mark"); !ok || found.Value != 5 || !found.First.Equal(m.First) {
		t.Errorf("another machine finds %+v, %v", found, ok)
	}
	redistest.Eventually(t, "another machine knows the count", func() bool { return count(other, "user") == 9 })
	if !log.has(1, away) || !log.has(1, back) {
		t.Errorf("the log:\n%s", log)
	}
}

// Two machines that both made a mark while Redis was away agree on one afterwards.
func TestMergedMarks(t *testing.T) {
	server := start(t)
	cfg := redis.Config{Retry: 10 * time.Millisecond, Refresh: time.Millisecond}
	a, logA := server.share(cfg)
	b, logB := server.share(cfg)
	ctx := t.Context()
	server.Kill()
	redistest.Eventually(t, "both are alone", func() bool {
		a.Incr(ctx, "user", 1, hour)
		b.Incr(ctx, "user", 1, hour)
		return logA.has(1, away) && logB.has(1, away)
	})
	a.SetNX(ctx, "made", 1, time.Hour)
	b.SetNX(ctx, "made", 2, time.Hour)
	a.SetNX(ctx, "set", 1, time.Hour)
	b.Set(ctx, "set", 2, time.Hour)
	server.Run()
	redistest.Eventually(t, "they agree", func() bool {
		m, _ := a.Get(ctx, "made")
		n, _ := b.Get(ctx, "made")
		return !m.Local && !n.Local && m.Value == n.Value && m.First.Equal(n.First)
	})
	redistest.Eventually(t, "what was set wins", func() bool {
		m, _ := a.Get(ctx, "set")
		n, _ := b.Get(ctx, "set")
		return !m.Local && !n.Local && m.Value == 2 && n.Value == 2
	})
}

// A Redis that answers but takes nothing is away, and does not seem to come and go.
func TestRefusing(t *testing.T) {
	for name, tt := range map[string]struct {
		args     []string
		password string
		want     string
	}{
		"wrong password": {[]string{"--requirepass", "right"}, "hunter2", "WRONGPASS"},
		"full":           {[]string{"--maxmemory", "1", "--maxmemory-policy", "noeviction"}, "", "OOM"},
		"replica":        {[]string{"--replicaof", "127.0.0.1 1"}, "", "READONLY"},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, tt.args...)
			admin := server.admin("right")
			defer admin.Close()
			s, log := server.share(redis.Config{Password: tt.password, Retry: time.Millisecond})
			redistest.Eventually(t, "it is told", func() bool { return log.has(1, away) })
			if !strings.Contains(log.String(), tt.want) || strings.Contains(log.String(), "hunter2") {
				t.Errorf("the log does not tell why, or too much:\n%s", log)
			}
			before := connections(t, admin)
			redistest.Eventually(t, "it was tried again and again", func() bool { return connections(t, admin) > before+20 })
			if m, made := s.SetNX(t.Context(), "mark", 0, time.Hour); !made || !m.Local {
				t.Errorf("%+v, %v", m, made)
			}
			if !log.has(1, away) || !log.has(0, back) {
				t.Errorf("it seems to come and go:\n%s", log)
			}
		})
	}
}

// connections returns how often somebody has connected to a server.
func connections(t *testing.T, admin rueidis.Client) (n int) {
	t.Helper()
	info, err := admin.Do(t.Context(), admin.B().Info().Section("stats").Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	_, info, _ = strings.Cut(info, "total_connections_received:")
	info, _, _ = strings.Cut(info, "\r")
	if n, err = strconv.Atoi(info); err != nil {
		t.Fatal(err)
	}
	return n
}

// meter sums what is added to MetricFallback.
type meter struct {
	noop.MeterProvider
	sum atomic.Int64
}

// Meter implements metric.MeterProvider.
func (m *meter) Meter(string, ...metric.MeterOption) metric.Meter { return instruments{meter: m} }

// instruments makes the instruments of a meter.
type instruments struct {
	noop.Meter
	meter *meter
}

// Int64UpDownCounter implements metric.Meter.
func (i instruments) Int64UpDownCounter(name string, _ ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	if name != redis.MetricFallback {
		return noop.Int64UpDownCounter{}, nil
	}
	return sum{meter: i.meter}, nil
}

// sum adds to a meter.
type sum struct {
	noop.Int64UpDownCounter
	meter *meter
}

// Add implements metric.Int64UpDownCounter.
func (s sum) Add(_ context.Context, n int64, _ ...metric.AddOption) { s.meter.sum.Add(n) }

func TestMetric(t *testing.T) {
	server := start(t)
	var m meter
	s, log := server.share(redis.Config{Retry: 10 * time.Millisecond, Meter: &m})
	redistest.Eventually(t, "Redis is used", func() bool { return !s.Incr(t.Context(), "user", 0, hour).Local })
	for outage := 1; outage <= 2; outage++ {
		server.Kill()
		redistest.Eventually(t, "this machine is alone", func() bool {
			s.Incr(t.Context(), "user", 1, hour)
			return log.has(outage, away)
		})
		if n := m.sum.Load(); n != 1 {
			t.Errorf("the metric is %d while Redis is away", n)
		}
		if outage == 2 {
			break
		}
		server.Run()
		redistest.Eventually(t, "Redis is back", func() bool { return log.has(outage, back) })
		if n := m.sum.Load(); n != 0 {
			t.Errorf("the metric is %d while Redis answers", n)
		}
	}
	if err := s.Close(); err != nil || m.sum.Load() != 0 {
		t.Errorf("the metric is %d after Close: %v", m.sum.Load(), err)
	}
}
