package local

import (
	"time"

	"millstream/handlers/store"
)

// A Mark is what is remembered of a key.
type Mark struct {
	First int64 // whole milliseconds
	Value int64
}

// NewMark returns a mark that is made now.
func NewMark(now, value int64) Mark {
	return Mark{First: now - now%int64(time.Millisecond), Value: value}
}

// Public returns m as callers see it.
func (m Mark) Public(ends int64, unconfirmed bool) store.Mark {
	return store.Mark{First: time.Unix(0, m.First), Value: m.Value, Ends: time.Unix(0, ends), Local: unconfirmed}
}
