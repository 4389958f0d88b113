package redis_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/handlers/store/redis"
)

// each runs a test with a new store of each engine; that of Redis once with a server and
// once with none.
func each(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Helper()
	engines := map[string]func(t *testing.T) (store.Store, error){
		"memory": func(*testing.T) (store.Store, error) { return memory.Open(memory.Config{}) },
		"redis": func(t *testing.T) (store.Store, error) {
			return redis.Open(redis.Config{Addresses: []string{start(t).Socket}, Timeout: patience})
		},
		"redis away": func(*testing.T) (store.Store, error) {
			return redis.Open(redis.Config{Addresses: []string{"/dev/null/none"}, Log: slog.New(slog.DiscardHandler)})
		},
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			leaks := goleak.IgnoreCurrent()
			s, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			test(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			goleak.VerifyNone(t, leaks)
		})
	}
}

func TestCounters(t *testing.T) {
	each(t, func(t *testing.T, s store.Store) {
		ctx := t.Context()
		if total := s.Incr(ctx, "a", 0, hour); total.N != 0 || !total.Ends.After(time.Now()) {
			t.Errorf("%+v of a new counter", total)
		}
		s.Incr(ctx, "a", 5, hour)
		if n := s.Incr(ctx, "a", 2, hour).N; n != 7 {
			t.Errorf("%d, want 7", n)
		}
		if n := s.Incr(ctx, "a", 1, store.Window{Length: time.Hour}).N; n != 1 {
			t.Errorf("%d in a window of another length, want 1", n)
		}
		if n := s.Incr(ctx, "a", 0, store.Window{Length: hour.Length, Sliding: true}).N; n != 7 {
			t.Errorf("%d in the same window as it slides, want 7", n)
		}
		if n := s.Incr(ctx, "b", 0, hour).N; n != 0 {
			t.Errorf("%d of another key, want 0", n)
		}
		if total, ok := s.Take(ctx, "a", 3, 10, hour); !ok || total.N != 10 {
			t.Errorf("%+v, %v up to the limit", total, ok)
		}
		if total, ok := s.Take(ctx, "a", 1, 10, hour); ok || total.N != 10 {
			t.Errorf("%+v, %v over the limit", total, ok)
		}
		if total, ok := s.Take(ctx, "a", 0, 5, hour); !ok || total.N != 10 {
			t.Errorf("%+v, %v of nothing", total, ok)
		}
		if n := s.Incr(ctx, "a", -4, hour).N; n != 6 {
			t.Errorf("%d after some was taken back, want 6", n)
		}
		if n := s.Incr(ctx, "a", -100, hour).N; n != 0 {
			t.Errorf("%d after more was taken back than there was", n)
		}
	})
}

func TestMarks(t *testing.T) {
	each(t, func(t *testing.T, s store.Store) {
		ctx := t.Context()
		if m, ok := s.Get(ctx, "a"); ok || !m.First.IsZero() {
			t.Errorf("%+v, %v of no mark", m, ok)
		}
		s.Touch(ctx, "a", time.Hour)
		if _, ok := s.Get(ctx, "a"); ok {
			t.Error("Touch made a mark")
		}
		before := time.Now().Truncate(time.Millisecond)
		made, ok := s.SetNX(ctx, "a", 5, time.Hour)
		if !ok || made.Value != 5 || made.First.Before(before) || made.First.After(time.Now()) {
			t.Errorf("%+v, %v of a new mark", made, ok)
		}
		if again, ok := s.SetNX(ctx, "a", 6, 9*time.Hour); ok || again.Value != 5 || !again.First.Equal(made.First) || lasts(again, 2*time.Hour) {
			t.Errorf("%+v, %v of a mark that there is", again, ok)
		}
		s.Touch(ctx, "a", time.Minute)
		if m, ok := s.Get(ctx, "a"); !ok || !lasts(m, 50*time.Minute) {
			t.Errorf("%+v, %v: Touch made the end come sooner", m, ok)
		}
		s.Touch(ctx, "a", 5*time.Hour)
		if m, _ := s.Get(ctx, "a"); !lasts(m, 4*time.Hour) || m.Value != 5 || !m.First.Equal(made.First) {
			t.Errorf("%+v after Touch", m)
		}
		s.Set(ctx, "a", -7, 2*time.Hour)
		if m, _ := s.Get(ctx, "a"); lasts(m, 3*time.Hour) || m.Value != -7 || !m.First.Equal(made.First) {
			t.Errorf("%+v after Set", m)
		}
		s.Set(ctx, "b", 1, time.Hour)
		if m, ok := s.SetNX(ctx, "b", 2, time.Hour); ok || m.Value != 1 {
			t.Errorf("%+v, %v of a mark that was set", m, ok)
		}
	})
}

// lasts reports whether a mark does not end within a time.
func lasts(m store.Mark, d time.Duration) bool { return time.Until(m.Ends) > d }

// A mark ends, and what comes then is new.
func TestMarkEnds(t *testing.T) {
	each(t, func(t *testing.T, s store.Store) {
		first, _ := s.SetNX(t.Context(), "a", 1, 20*time.Millisecond)
		pause := time.NewTicker(time.Millisecond)
		defer pause.Stop()
		for range pause.C {
			m, made := s.SetNX(t.Context(), "a", 2, time.Hour)
			if made {
				if m.Value != 2 || !m.First.After(first.First) {
					t.Errorf("%+v is not new", m)
				}
				return
			}
		}
	})
}

// What a caller asks for that cannot be is the nearest that can.
func TestOddDurations(t *testing.T) {
	each(t, func(t *testing.T, s store.Store) {
		ctx := t.Context()
		const forever = 1<<63 - 1
		s.Set(ctx, "a", 1, forever)
		if m, ok := s.Get(ctx, "a"); !ok || m.Ends.Before(time.Now()) {
			t.Errorf("%+v, %v of a mark for ever", m, ok)
		}
		s.SetNX(ctx, "b", 1, -time.Hour)
		s.Incr(ctx, "a", 1, store.Window{})
		if total := s.Incr(ctx, "a", 1, store.Window{Length: forever, Sliding: true}); total.N != 1 {
			t.Errorf("%+v in a window for ever", total)
		}
	})
}

// A call whose context has ended is answered.
func TestEndedContext(t *testing.T) {
	each(t, func(t *testing.T, s store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if n := s.Incr(ctx, "a", 3, hour).N; n != 3 {
			t.Errorf("%d is counted", n)
		}
		for i := range 10 {
			if m, made := s.SetNX(ctx, key(i), 4, time.Hour); m.Value != 4 || !made {
				t.Errorf("%+v, %v", m, made)
			}
		}
	})
}

// A filter is told whether it may be held up.
func TestMayWait(t *testing.T) {
	each(t, func(t *testing.T, s store.Store) {
		if _, shared := s.(*redis.Store); s.MayWait() != shared {
			t.Errorf("MayWait is %v", s.MayWait())
		}
	})
}
