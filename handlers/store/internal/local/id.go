// Package local is what the engines of a store keep in memory: tables with a lock
// for each of many parts, a limit and an end for each entry, and what stands in
// them.
//
// Times are nanoseconds since 1970, so that entries hold no pointers: a collector
// passes over a table of a million entries without looking into it.
package local

import (
	"crypto/sha256"
	"time"
)

// An ID is the key of an entry, of one size whatever the key was that it is made of.
// That key cannot be told from it.
type ID struct {
	// Hash is the first half of the SHA-256 of the key. Who chooses keys cannot make
	// two that meet.
	Hash [16]byte

	// Length is that of the window of a counter in nanoseconds; zero for a mark.
	Length int64
}

// Durations are kept between these, so that no sum of them overflows, and so that
// there is a whole millisecond, the unit of Redis.
const (
	shortest = time.Millisecond
	longest  = 100 * 365 * 24 * time.Hour
)

// Clamp returns d in whole milliseconds, at least one and at most a hundred years.
func Clamp(d time.Duration) time.Duration {
	return min(max(d.Truncate(time.Millisecond), shortest), longest)
}

// CounterID returns the ID of the counter of a key over a window.
func CounterID(key string, window time.Duration) ID {
	return ID{hash(key), int64(Clamp(window))}
}

// MarkID returns the ID of the mark of a key.
func MarkID(key string) ID { return ID{Hash: hash(key)} }

// hash returns the Hash of a key.
func hash(key string) (h [16]byte) {
	var buf [256]byte // a key of usual size costs no allocation
	sum := sha256.Sum256(append(buf[:0], key...))
	copy(h[:], sum[:])
	return h
}
