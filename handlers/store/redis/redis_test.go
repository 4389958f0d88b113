package redis_test

import (
	"strings"
	"testing"
	"time"

	"millstream/handlers/store"
	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// Two machines count together.
func TestCountersAreShared(t *testing.T) {
	server := start(t)
	a, _ := server.share(redis.Config{})
	b, _ := server.share(redis.Config{})
	a.Incr(t.Context(), "user", 5, hour)
	b.Incr(t.Context(), "user", 3, hour)
	for name, s := range map[string]store.Store{"first": a, "second": b} {
		redistest.Eventually(t, "the "+name+" knows of both", func() bool {
			total := s.Incr(t.Context(), "user", 0, hour)
			return total.N == 8 && !total.Local
		})
	}
	if total, ok := a.Take(t.Context(), "user", 3, 10, hour); ok || total.N != 8 {
		t.Errorf("%+v, %v: it was taken over the limit", total, ok)
	}
	if total, ok := b.Take(t.Context(), "user", 2, 10, hour); !ok || total.N != 10 {
		t.Errorf("%+v, %v: it was not taken up to the limit", total, ok)
	}
	b.Incr(t.Context(), "user", -4, hour)
	redistest.Eventually(t, "what is taken back is known", func() bool { return count(a, "user") == 6 })
}

// Before Redis has told of a counter, its total is that of this machine, whatever the
// window.
func TestUnheardIsLocal(t *testing.T) {
	server := start(t)
	s, _ := server.share(redis.Config{Flush: time.Hour})
	for _, length := range []time.Duration{time.Second, time.Hour, 1<<63 - 1} {
		if total := s.Incr(t.Context(), "user", 1, store.Window{Length: length}); !total.Local {
			t.Errorf("%+v in %v", total, length)
		}
	}
}

// A window that slides has what others counted in the window before.
func TestSlidingIsShared(t *testing.T) {
	server := start(t)
	a, _ := server.share(redis.Config{})
	b, _ := server.share(redis.Config{})
	w := store.Window{Length: 4 * time.Second, Sliding: true}
	first := a.Incr(t.Context(), "user", 1_000_000, w)
	redistest.Eventually(t, "the next window has begun", func() bool { return time.Now().After(first.Ends) })
	redistest.Eventually(t, "the other machine knows of the window before", func() bool {
		total := b.Incr(t.Context(), "user", 0, w)
		if !total.Ends.Equal(first.Ends.Add(w.Length)) {
			t.Fatal("the window is over, and nothing was told")
		}
		return total.N > 0 && total.N <= 1_000_000
	})
	if n := b.Incr(t.Context(), "user", 0, store.Window{Length: w.Length}).N; n != 0 {
		t.Errorf("%d in a window that does not slide", n)
	}
}

// A mark that one machine made is known to another the first time it asks.
func TestMarksAreShared(t *testing.T) {
	server := start(t)
	a, _ := server.share(redis.Config{Refresh: time.Millisecond})
	b, _ := server.share(redis.Config{Refresh: time.Millisecond})
	ctx := t.Context()
	made, ok := a.SetNX(ctx, "triplet", 7, time.Hour)
	if !ok || made.Local || made.Value != 7 {
		t.Fatalf("%+v, %v: it was not made", made, ok)
	}
	if found, ok := b.SetNX(ctx, "triplet", 9, time.Minute); ok || found.Local || found.Value != 7 || !found.First.Equal(made.First) {
		t.Errorf("%+v, %v: it is not the mark of the other machine, %+v", found, ok, made)
	}
	if _, ok := b.Get(ctx, "other"); ok {
		t.Error("there is a mark that nobody has made")
	}
	b.Set(ctx, "triplet", 8, 48*time.Hour)
	redistest.Eventually(t, "the first machine knows of the change", func() bool {
		m, ok := a.Get(ctx, "triplet")
		return ok && m.Value == 8 && m.First.Equal(made.First) && time.Until(m.Ends) > 47*time.Hour
	})
	a.Touch(ctx, "triplet", 96*time.Hour)
	redistest.Eventually(t, "Redis knows of the new end", func() bool {
		m, ok := b.Get(ctx, "triplet")
		return ok && m.Value == 8 && time.Until(m.Ends) > 95*time.Hour
	})
}

// Nothing stays in Redis for ever, and a mark that has ended is made anew.
func TestKeysExpire(t *testing.T) {
	server := start(t)
	a, _ := server.share(redis.Config{})
	b, _ := server.share(redis.Config{})
	ctx := t.Context()
	a.Incr(ctx, "user", 1, store.Window{Length: time.Hour, Sliding: true})
	a.SetNX(ctx, "mark", 0, time.Hour)
	a.Set(ctx, "set", 0, time.Hour)
	a.Touch(ctx, "set", 2*time.Hour)
	a.SetNX(ctx, "short", 1, 50*time.Millisecond)
	redistest.Eventually(t, "all is told", func() bool { return len(server.keys("millstream:[cm]:*")) >= 3 })
	for _, k := range server.keys("*") {
		message := server.do("PTTL", k)
		if ttl, err := message.AsInt64(); err != nil || ttl == -1 {
			t.Errorf("%s has no end: %d, %v", k, ttl, err)
		}
		if name, ok := strings.CutPrefix(k, "millstream:"); !ok || strings.Contains(name, "user") || strings.Contains(name, "mark") {
			t.Errorf("the name %q tells what it stands for", k)
		}
	}
	redistest.Eventually(t, "the mark is made anew", func() bool {
		m, made := b.SetNX(ctx, "short", 2, time.Hour)
		return made && m.Value == 2
	})
}

// A Redis that has lost all is told again of what is in use.
func TestDataLoss(t *testing.T) {
	server := start(t)
	a, _ := server.share(redis.Config{Refresh: time.Millisecond})
	b, _ := server.share(redis.Config{})
	ctx := t.Context()
	a.Incr(ctx, "user", 5, hour)
	made, _ := a.SetNX(ctx, "mark", 7, time.Hour)
	redistest.Eventually(t, "the other machine knows", func() bool { return count(b, "user") == 5 })
	server.do("FLUSHALL")
	redistest.Eventually(t, "Redis knows again", func() bool {
		a.Get(ctx, "mark")
		count(a, "user")
		return len(server.keys("millstream:[cm]:*")) == 2
	})
	if m, ok := b.Get(ctx, "mark"); !ok || m.Value != 7 || !m.First.Equal(made.First) {
		t.Errorf("%+v, %v came back, want %+v", m, ok, made)
	}
	redistest.Eventually(t, "nothing is counted twice", func() bool { return count(b, "user") == 5 && count(a, "user") == 5 })
}

// Close tells what is not yet told. After it all is answered, by this machine alone.
func TestClose(t *testing.T) {
	server := start(t)
	a, _ := server.share(redis.Config{})
	b, _ := server.share(redis.Config{})
	ctx := t.Context()
	a.SetNX(ctx, "connected", 0, time.Hour)
	for i := range 3000 {
		a.Incr(ctx, key(i), 2, hour)
	}
	a.Set(ctx, "mark", 3, time.Hour)
	for range 2 {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	redistest.Eventually(t, "the last count is known", func() bool { return count(b, key(2999)) == 2 })
	if m, ok := b.Get(ctx, "mark"); !ok || m.Value != 3 {
		t.Errorf("the last mark is %+v, %v", m, ok)
	}
	if total := a.Incr(ctx, key(0), 1, hour); total.N != 3 || !total.Local {
		t.Errorf("%+v after Close", total)
	}
	if m, made := a.SetNX(ctx, "late", 0, time.Hour); !made || !m.Local {
		t.Errorf("%+v, %v after Close", m, made)
	}
}

func TestConfig(t *testing.T) {
	one := []string{"localhost:6379"}
	for field, cfg := range map[string]redis.Config{
		"Addresses":  {},
		"host:port":  {Addresses: []string{"localhost"}},
		"Cluster":    {Addresses: one, Cluster: true, Sentinel: "mymaster"},
		"several":    {Addresses: []string{"a:1", "b:1"}},
		"Database":   {Addresses: one, Database: -1},
		"a cluster":  {Addresses: one, Cluster: true, Database: 1},
		"MaxEntries": {Addresses: one, MaxEntries: -1},
		"Flush":      {Addresses: one, Flush: -1},
		"Timeout":    {Addresses: one, Timeout: -1},
		"Retry":      {Addresses: one, Retry: -1},
		"Refresh":    {Addresses: one, Refresh: -1},
	} {
		if _, err := redis.Open(cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v does not tell of %q", err, field)
		}
	}
}

// A hit allocates nothing.
func TestHitAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted")
	}
	s, log := open(t, redis.Config{Addresses: []string{"/dev/null/none"}, Retry: time.Hour})
	ctx := t.Context()
	s.SetNX(ctx, "key", 0, time.Hour)
	s.Incr(ctx, "key", 1, hour)
	redistest.Eventually(t, "nothing else happens", func() bool { return log.has(1, away) })
	for name, f := range map[string]func(){
		"Incr":  func() { s.Incr(ctx, "key", 1, hour) },
		"Take":  func() { s.Take(ctx, "key", 1, 5, hour) },
		"SetNX": func() { s.SetNX(ctx, "key", 0, time.Hour) },
		"Get":   func() { s.Get(ctx, "key") },
		"Set":   func() { s.Set(ctx, "key", 1, time.Hour) },
		"Touch": func() { s.Touch(ctx, "key", time.Hour) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s makes %v allocations", name, n)
		}
	}
}
