package memory_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers/store"
	"millstream/handlers/store/memory"
)

var hour = store.Window{Length: time.Hour}

// open opens a store that is closed when the test ends.
func open(tb testing.TB, cfg memory.Config) *memory.Store {
	tb.Helper()
	s, err := memory.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Of what many take at once, no more is given than the limit.
func TestTakeAtOnce(t *testing.T) {
	const limit = 1000
	s := open(t, memory.Config{})
	var given atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range limit {
				if _, ok := s.Take(t.Context(), "user:alice", 1, limit, store.Window{Length: 24 * 365 * time.Hour}); ok {
					given.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if given.Load() != limit {
		t.Errorf("%d were given, want %d", given.Load(), limit)
	}
}

func TestFull(t *testing.T) {
	var log strings.Builder
	s := open(t, memory.Config{MaxEntries: 256, Log: slog.New(slog.NewTextHandler(&log, nil))})
	const keys = 10_000
	for i := range keys {
		s.SetNX(t.Context(), fmt.Sprint("short", i), 0, time.Minute)
		s.SetNX(t.Context(), "long", 1, time.Hour)
	}
	if _, ok := s.Get(t.Context(), "long"); !ok {
		t.Error("a mark that lasts made room for marks that do not")
	}
	kept := 0
	for i := range keys {
		if _, ok := s.Get(t.Context(), fmt.Sprint("short", i)); ok {
			kept++
		}
	}
	if kept > 256 {
		t.Errorf("%d marks are kept, want at most 256", kept)
	}
	if n := strings.Count(log.String(), "store is full"); n != 1 || !strings.Contains(log.String(), "kind=marks") {
		t.Errorf("%d lines, want one, about marks:\n%s", n, &log)
	}
}

func TestNegativeLimit(t *testing.T) {
	if _, err := memory.Open(memory.Config{MaxEntries: -1}); err == nil || !strings.Contains(err.Error(), "MaxEntries") {
		t.Errorf("error %v does not name the field", err)
	}
}

// Without a file nothing runs in the background: a bubble ends when its goroutines have.
func TestNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := memory.Open(memory.Config{})
		if err != nil {
			t.Fatal(err)
		}
		s.Incr(t.Context(), "key", 1, hour)
		synctest.Wait()
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := s.Incr(context.Background(), "key", 1, hour).N; n != 2 {
			t.Errorf("%d is counted after Close, want 2", n)
		}
	})
}

// A hit allocates nothing.
func TestHitAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted")
	}
	s := open(t, memory.Config{})
	ctx := t.Context()
	key := strings.Repeat("a-key-of-usual-size@example.com/", 6)
	s.SetNX(ctx, key, 0, time.Hour)
	s.Incr(ctx, key, 1, hour)
	for name, f := range map[string]func(){
		"Incr":  func() { s.Incr(ctx, key, 1, hour) },
		"Take":  func() { s.Take(ctx, key, 1, 5, hour) },
		"SetNX": func() { s.SetNX(ctx, key, 0, time.Hour) },
		"Get":   func() { s.Get(ctx, key) },
		"Set":   func() { s.Set(ctx, key, 1, time.Hour) },
		"Touch": func() { s.Touch(ctx, key, time.Hour) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s makes %v allocations", name, n)
		}
	}
}
