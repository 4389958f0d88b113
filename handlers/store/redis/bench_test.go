package redis_test

import (
	"crypto/rand"
	"testing"
	"time"

	"millstream/handlers/store/redis"
)

// Counters that are known here, while Redis is told of them.
func BenchmarkIncr(b *testing.B) {
	s, _ := start(b).share(redis.Config{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			s.Incr(b.Context(), keys[i%len(keys)], 1, hour)
		}
	})
}

// Marks that are known here.
func BenchmarkSetNXKnown(b *testing.B) {
	s, _ := start(b).share(redis.Config{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			s.SetNX(b.Context(), keys[i%len(keys)], 1, time.Hour)
		}
	})
}

// Marks that Redis is asked for, by a hundred at a time.
func BenchmarkSetNXUnknown(b *testing.B) {
	s, _ := start(b).share(redis.Config{})
	b.ReportAllocs()
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.SetNX(b.Context(), rand.Text(), 1, time.Minute)
		}
	})
}

// keys are in use at once.
var keys = func() (keys [1000]string) {
	for i := range keys {
		keys[i] = key(i)
	}
	return keys
}()
