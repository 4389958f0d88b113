package local

import (
	"sync"
	"sync/atomic"
)

// Shards is how many parts a table has. A part is locked for as long as one entry is
// looked at, or for as long as the part is copied.
const Shards = 256

// A Table keeps entries until they end, and no more than its limit: then the one
// that would end soonest makes room. Values must not hold pointers to what has to
// be let go: an entry is overwritten, not cleared.
type Table[V any] struct {
	shards  [Shards]Shard[V]
	evicted atomic.Int64
	full    func()
}

// An Entry is what a table keeps. It is good until the lock of its shard is let go,
// or another entry is put.
type Entry[V any] struct {
	ID    ID
	Ends  int64 // see Shard.Put
	Value V
	place int32 // in the heap
}

// A Shard is a part of a table.
type Shard[V any] struct {
	mu      sync.Mutex
	table   *Table[V]
	limit   int
	index   map[ID]int32
	entries []Entry[V]
	heap    []int32 // the numbers of entries, the soonest to end first
	free    []int32 // the numbers of entries that are none
	changes uint64
}

// NewTable returns a table of at most about limit entries: each of its parts has the
// same share. When the first entry has to make room, full is called, under a lock.
func NewTable[V any](limit int, full func()) *Table[V] {
	t := &Table[V]{}
	var once sync.Once
	t.full = func() { once.Do(full) }
	for i := range t.shards {
		s := &t.shards[i]
		s.table, s.limit, s.index = t, max(1, (limit+Shards-1)/Shards), map[ID]int32{}
	}
	return t
}

// Evicted returns how many entries have made room for others before their end.
func (t *Table[V]) Evicted() int64 { return t.evicted.Load() }

// Len returns how many entries there are, with those that have ended and were not
// yet needed.
func (t *Table[V]) Len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.heap)
		s.mu.Unlock()
	}
	return n
}

// Lock returns the part that an ID belongs to, locked.
func (t *Table[V]) Lock(id ID) *Shard[V] {
	s := &t.shards[int(id.Hash[0])%Shards]
	s.mu.Lock()
	return s
}

// Unlock lets others at the shard.
func (s *Shard[V]) Unlock() { s.mu.Unlock() }

// Find returns an entry that has not ended; nil if there is none.
func (s *Shard[V]) Find(id ID, now int64) *Entry[V] {
	i, ok := s.index[id]
	if !ok || s.entries[i].Ends <= now {
		return nil
	}
	return &s.entries[i]
}

// Put returns the entry of an ID to be changed, and sets its end. It makes a new one,
// with a value of zero, where there is none that has not ended.
func (s *Shard[V]) Put(id ID, now, ends int64) (e *Entry[V], known bool) {
	s.changes++
	if i, ok := s.index[id]; ok {
		e = &s.entries[i]
		if known = e.Ends > now; !known {
			*e = Entry[V]{ID: id, place: e.place}
		}
		e.Ends = ends
		s.settle(int(e.place))
		return e, known
	}
	s.makeRoom(now)
	i := s.take()
	s.entries[i] = Entry[V]{ID: id, Ends: ends, place: int32(len(s.heap))}
	s.index[id] = i
	s.heap = append(s.heap, i)
	s.settle(len(s.heap) - 1)
	return &s.entries[i], false
}

// take returns the number of an entry that is none.
func (s *Shard[V]) take() int32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	s.entries = append(s.entries, Entry[V]{})
	return int32(len(s.entries) - 1)
}

// makeRoom removes what has ended, and more if the shard is still full. It looks at
// few of those that have ended, so that no call pays for many.
func (s *Shard[V]) makeRoom(now int64) {
	for range 4 {
		if len(s.heap) == 0 || s.entries[s.heap[0]].Ends > now {
			break
		}
		s.removeFirst()
	}
	if len(s.heap) < s.limit {
		return
	}
	if s.entries[s.heap[0]].Ends > now {
		s.table.evicted.Add(1)
		s.table.full()
	}
	s.removeFirst()
}

// removeFirst removes the entry that ends soonest.
func (s *Shard[V]) removeFirst() {
	i := s.heap[0]
	last := len(s.heap) - 1
	s.swap(0, last)
	s.heap = s.heap[:last]
	if last > 0 {
		s.settle(0)
	}
	delete(s.index, s.entries[i].ID)
	s.free = append(s.free, i)
}

// settle moves what stands at a place of the heap to where it belongs.
func (s *Shard[V]) settle(at int) {
	for at > 0 && s.before(at, (at-1)/2) {
		s.swap(at, (at-1)/2)
		at = (at - 1) / 2
	}
	for {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(s.heap); child++ {
			if s.before(child, least) {
				least = child
			}
		}
		if least == at {
			return
		}
		s.swap(at, least)
		at = least
	}
}

// before reports whether the entry at place a of the heap ends before that at b.
func (s *Shard[V]) before(a, b int) bool {
	return s.entries[s.heap[a]].Ends < s.entries[s.heap[b]].Ends
}

// swap exchanges two places of the heap.
func (s *Shard[V]) swap(a, b int) {
	s.heap[a], s.heap[b] = s.heap[b], s.heap[a]
	s.entries[s.heap[a]].place, s.entries[s.heap[b]].place = int32(a), int32(b)
}

// Copy appends the entries of a part that have not ended to dst, and tells how often
// the part was changed: where that is as often as at the last time, nothing is
// appended.
func (t *Table[V]) Copy(dst []Entry[V], shard int, now int64, last uint64) ([]Entry[V], uint64) {
	s := &t.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == last {
		return dst, last
	}
	for _, i := range s.heap {
		if s.entries[i].Ends > now {
			dst = append(dst, s.entries[i])
		}
	}
	return dst, s.changes
}
