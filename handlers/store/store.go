package store

import (
	"context"
	"time"
)

// A Store keeps counters and marks. It may be used by any number of goroutines. After
// Close it still answers, from what is in memory.
type Store interface {
	Counters
	Marks

	// Close writes what is not yet written and ends what runs in the background.
	Close() error
}

// Counters count in windows of time. None of their calls ever waits for a disk or a
// network, so they may be made on an event loop.
type Counters interface {
	// Incr adds n to the counter of a key and returns what is counted then. Zero only
	// asks; a negative n takes back, at most what was counted on this machine in the
	// window.
	Incr(ctx context.Context, key string, n int64, w Window) Total

	// Take adds n if the total is then not over the limit, and reports whether it
	// did. Between looking and counting nobody else on this machine counts.
	Take(ctx context.Context, key string, n, limit int64, w Window) (Total, bool)
}

// Marks remember keys for a time. SetNX and Get may wait for a network, for a key
// that is not known on this machine and no longer than the time-out of the engine or
// until ctx is done: call them where waiting is allowed. Set and Touch never wait.
//
// There is no call to forget a mark: machines that keep a copy would bring it back.
// Give it a value that says so.
type Marks interface {
	// SetNX returns the mark of a key. If there is none it makes one, with the value
	// given and an end in ttl from now, and reports true.
	SetNX(ctx context.Context, key string, value int64, ttl time.Duration) (Mark, bool)

	// Get returns the mark of a key, and false if there is none.
	Get(ctx context.Context, key string) (Mark, bool)

	// Set gives the mark of a key a value and a new end, in ttl from now. It makes the
	// mark if need be, and else leaves First as it was. The last of several Set for a
	// key wins.
	Set(ctx context.Context, key string, value int64, ttl time.Duration)

	// Touch lets a mark that is known on this machine last until ttl from now, if that
	// is later than its end.
	Touch(ctx context.Context, key string, ttl time.Duration)

	// MayWait reports whether SetNX and Get may wait for a network. It stays the same
	// for as long as there is the store.
	MayWait() bool
}

// A Window is the time over which is counted. Windows of the same length of a key are
// the same counter, those of other lengths are others.
//
// A window that does not slide begins and ends for all keys at once, at multiples of
// its length since 1970 in UTC: at each full hour, at each midnight. Its limit may be
// reached at the end of one and again at the beginning of the next. A sliding one is
// the time of its length up to now: the part of the window before that lies in it
// counts, as if what was counted there had come evenly.
type Window struct {
	// Length is used in whole milliseconds, at least one and at most a hundred years.
	Length time.Duration

	// Sliding makes the window slide.
	Sliding bool
}

// A Total is what is counted in a window.
type Total struct {
	// N is the sum over all machines that share the store, as far as this one knows.
	N int64

	// Ends is when the present window ends; a sliding one has all of N behind it one
	// length later.
	Ends time.Time

	// Local tells that N has nothing of what other machines count: nothing was heard
	// of this counter yet in its window, or nothing since the shared store failed.
	Local bool
}

// A Mark is what is remembered of a key.
type Mark struct {
	// First is when the mark was made, to the millisecond. It is zero where there is
	// none.
	First time.Time

	// Value is what the caller gave.
	Value int64

	// Ends is when the mark will be gone.
	Ends time.Time

	// Local tells that the shared store has not confirmed the mark, or not since it
	// failed.
	Local bool
}
