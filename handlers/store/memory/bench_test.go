package memory_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"millstream/handlers/store/memory"
)

// keys are what clients of a busy hub are known by.
func keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "ip:2001:db8::" + strconv.FormatInt(int64(i), 16) + "/sender" + strconv.Itoa(i) + "@example.com"
	}
	return keys
}

// run calls f with each key in turn, from as many goroutines as there are processors.
func run(b *testing.B, keys []string, f func(key string)) {
	b.Helper()
	b.ReportAllocs()
	for _, key := range keys {
		f(key)
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			f(keys[i%len(keys)])
		}
	})
}

func BenchmarkIncr(b *testing.B) {
	s := open(b, memory.Config{})
	run(b, keys(100_000), func(key string) { s.Incr(b.Context(), key, 1, hour) })
}

func BenchmarkIncrOneKey(b *testing.B) {
	s := open(b, memory.Config{})
	run(b, keys(1), func(key string) { s.Incr(b.Context(), key, 1, hour) })
}

func BenchmarkSetNXKnown(b *testing.B) {
	s := open(b, memory.Config{})
	run(b, keys(100_000), func(key string) { s.SetNX(b.Context(), key, 0, time.Hour) })
}

// Each key is new, and one has to make room for it.
func BenchmarkSetNXFull(b *testing.B) {
	s := open(b, memory.Config{MaxEntries: 10_000})
	run(b, keys(200_000), func(key string) { s.SetNX(b.Context(), key, 0, time.Hour) })
}

// Marks are kept with this much memory each.
func BenchmarkMemory(b *testing.B) {
	keys := keys(500_000)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := open(b, memory.Config{})
		for _, key := range keys {
			s.SetNX(b.Context(), key, 0, time.Hour)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(keys)), "B/mark")
		runtime.KeepAlive(s)
	}
}

// A snapshot of a store that is in use.
func BenchmarkSnapshot(b *testing.B) {
	keys := keys(200_000)
	for b.Loop() {
		b.StopTimer()
		s, err := memory.Open(memory.Config{Path: b.TempDir() + "/store.db", Interval: -1})
		if err != nil {
			b.Fatal(err)
		}
		for _, key := range keys {
			s.SetNX(b.Context(), key, 0, time.Hour)
		}
		b.StartTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
