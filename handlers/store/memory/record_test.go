package memory

import (
	"testing"

	"millstream/handlers/store/internal/local"
)

func FuzzCounters(f *testing.F) {
	var e local.Entry[local.Counter]
	e.ID.Hash[3], e.ID.Length, e.Ends, e.Value = 7, 1, -2, local.Counter{Window: 3, Now: 4, Before: 5}
	f.Add(seal(appendCounter(make([]byte, sumSize), &e)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, part []byte) { roundTrip(t, part, counterSize, readCounter, appendCounter) })
}

func FuzzMarks(f *testing.F) {
	var e local.Entry[local.Mark]
	e.ID.Hash[3], e.Ends, e.Value = 7, -2, local.Mark{First: 4, Value: 5}
	f.Add(seal(appendMark(make([]byte, sumSize), &e)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, part []byte) { roundTrip(t, part, markSize, readMark, appendMark) })
}

// roundTrip checks that a part which can be read is what is written of it, and that it
// cannot be read once a bit of it is wrong.
func roundTrip[V any](t *testing.T, part []byte, size int, read func([]byte) local.Entry[V], add func([]byte, *local.Entry[V]) []byte) {
	t.Helper()
	records, err := unseal(part, size)
	if err != nil {
		return
	}
	again := make([]byte, sumSize)
	for ; len(records) > 0; records = records[size:] {
		e := read(records)
		again = add(again, &e)
	}
	if again = seal(again); string(again) != string(part) {
		t.Fatalf("%x was read, and %x is written", part, again)
	}
	again[len(again)/2] ^= 1
	if _, err := unseal(again, size); err == nil {
		t.Errorf("%x can be read: a bit of it is wrong", again)
	}
}
