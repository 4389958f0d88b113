package redis_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// exchange has each store tell what it has counted and hear what the others have. Each
// question is asked at once, and takes along all that there is to tell.
func exchange(t *testing.T, stores []*redis.Store) {
	t.Helper()
	for range 2 { // the first has to hear what the last has told
		for _, s := range stores {
			count(s, "user")
			if _, ok := s.Get(t.Context(), "nobody"); ok {
				t.Fatal("there is a mark that nobody has made")
			}
		}
	}
}

// A limit is overrun by what the other machines count between two exchanges, and by no
// more. Here nothing is exchanged but when the test says so.
func TestOvershoot(t *testing.T) {
	const machines, limit, most = 3, 100, 7 // each takes so many at most between two exchanges
	server := start(t)
	stores := make([]*redis.Store, machines)
	for i := range stores {
		stores[i], _ = server.share(redis.Config{Flush: 24 * time.Hour})
	}
	random := rand.New(rand.NewPCG(3, 4))
	given := 0
	for range 20 {
		for _, s := range stores {
			for range random.IntN(most + 1) {
				if _, ok := s.Take(t.Context(), "user", 1, limit, hour); ok {
					given++
				}
			}
		}
		exchange(t, stores)
	}
	if given < limit || given > limit+(machines-1)*most {
		t.Errorf("%d were given, want %d to %d", given, limit, limit+(machines-1)*most)
	}
	for i, s := range stores {
		if total, ok := s.Take(t.Context(), "user", 1, limit, hour); ok || total.N != int64(given) || total.Local {
			t.Errorf("machine %d: %+v, %v, want a refusal at %d", i, total, ok, given)
		}
	}
	t.Logf("%d of %d were given", given, limit)
}

// The same as it is used: both machines count 20 in a millisecond. When both know that
// the limit is reached, they agree on how much was given.
func TestOvershootUnderLoad(t *testing.T) {
	const limit = 5000
	server := start(t)
	var given atomic.Int64
	stores := make([]*redis.Store, 2)
	for i := range stores {
		stores[i], _ = server.share(redis.Config{})
	}
	var wg sync.WaitGroup
	for _, s := range stores {
		wg.Go(func() {
			pause := time.NewTicker(time.Millisecond)
			defer pause.Stop()
			for i := 1; ; i++ {
				total, ok := s.Take(t.Context(), "user", 1, limit, hour)
				if ok {
					given.Add(1)
				} else if !total.Local {
					return
				}
				if i%20 == 0 {
					<-pause.C
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		redistest.Eventually(t, "all know what was given", func() bool { return count(s, "user") == given.Load() })
		if _, ok := s.Take(t.Context(), "user", 1, limit, hour); ok {
			t.Error("more was given when all knew")
		}
	}
	if given.Load() < limit {
		t.Errorf("%d were given, want at least %d", given.Load(), limit)
	}
	t.Logf("%d of %d were given", given.Load(), limit)
}
