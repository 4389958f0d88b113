package local

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// idIn returns the n-th ID of one shard.
func idIn(n int) ID {
	var id ID
	id.Hash[1], id.Hash[2] = byte(n), byte(n>>8)
	return id
}

// put puts an entry with a value.
func put(t *Table[int], id ID, now, ends int64, value int) (known bool) {
	s := t.Lock(id)
	defer s.Unlock()
	e, known := s.Put(id, now, ends)
	e.Value = value
	return known
}

// find returns the value of an entry, or -1.
func find(t *Table[int], id ID, now int64) int {
	s := t.Lock(id)
	defer s.Unlock()
	if e := s.Find(id, now); e != nil {
		return e.Value
	}
	return -1
}

// A shard does what a list would that is searched from end to end.
func TestTableAgainstModel(t *testing.T) {
	const limit = 20
	type entry struct {
		ends  int64
		value int
	}
	random := rand.New(rand.NewPCG(1, 2))
	full := 0
	table := NewTable[int](limit*Shards, func() { full++ })
	model := map[ID]entry{}
	var evicted int64
	var now int64
	for step := range 50_000 {
		now += int64(random.IntN(3))
		id := idIn(random.IntN(60))
		ends := now + int64(random.IntN(60)) + 1
		if old, ok := model[id]; random.IntN(3) == 0 {
			want := -1
			if ok && old.ends > now {
				want = old.value
			}
			if got := find(table, id, now); got != want {
				t.Fatalf("step %d: found %d, want %d", step, got, want)
			}
			continue
		}
		for old, e := range model {
			if e.ends <= now {
				delete(model, old)
			}
		}
		_, ok := model[id]
		if !ok && len(model) == limit {
			evicted++
			soonest := soonest(model, func(e entry) int64 { return e.ends })
			if soonest != (ID{}) {
				delete(model, soonest)
			} else { // several end at once, and the table may choose
				now += 100
				clear(model)
			}
		}
		if known := put(table, id, now, ends, step); known != ok {
			t.Fatalf("step %d: known %v, want %v", step, known, ok)
		}
		model[id] = entry{ends, step}
	}
	if evicted == 0 || full != 1 {
		t.Errorf("%d made room and full was told %d times: this test shows nothing", evicted, full)
	}
}

// soonest returns the ID of what ends soonest, and none where that is not only one.
func soonest[E any](model map[ID]E, ends func(E) int64) (first ID) {
	var at int64
	for id, e := range model {
		switch n := ends(e); {
		case at == 0 || n < at:
			first, at = id, n
		case n == at:
			first = ID{}
		}
	}
	return first
}

func TestTableMakesRoom(t *testing.T) {
	told := 0
	table := NewTable[int](3*Shards, func() { told++ })
	for i, ends := range []int64{30, 10, 20} {
		put(table, idIn(i), 1, ends, i)
	}
	if put(table, idIn(1), 1, 40, 1); told != 0 || table.Evicted() != 0 {
		t.Error("a known entry made room for itself")
	}
	put(table, idIn(3), 1, 5, 3)
	if got := find(table, idIn(2), 1); got != -1 {
		t.Error("what ends soonest did not make room")
	}
	put(table, idIn(4), 6, 50, 4) // entry 3 has ended
	if table.Evicted() != 1 || told != 1 {
		t.Errorf("%d made room, told %d times, want 1 and 1", table.Evicted(), told)
	}
	put(table, idIn(5), 6, 60, 5)
	if table.Evicted() != 2 || told != 1 {
		t.Errorf("%d made room, told %d times, want 2 and 1", table.Evicted(), told)
	}
	if table.Len() != 3 {
		t.Errorf("%d entries, want 3", table.Len())
	}
}

// An entry that has ended begins anew, with a value of zero.
func TestTableEndedEntry(t *testing.T) {
	table := NewTable[int](Shards, func() {})
	put(table, idIn(0), 1, 10, 7)
	s := table.Lock(idIn(0))
	defer s.Unlock()
	if e, known := s.Put(idIn(0), 10, 20); known || e.Value != 0 {
		t.Errorf("known %v with value %d", known, e.Value)
	}
}

func TestTableCopy(t *testing.T) {
	table := NewTable[int](4*Shards, func() {})
	put(table, idIn(0), 1, 10, 1)
	put(table, idIn(1), 1, 20, 2)
	got, changes := table.Copy(nil, 0, 15, 0)
	if len(got) != 1 || got[0].Value != 2 {
		t.Fatalf("copied %v, want the entry that has not ended", got)
	}
	if got, again := table.Copy(nil, 0, 15, changes); len(got) != 0 || again != changes {
		t.Errorf("copied %v although nothing changed", got)
	}
	put(table, idIn(1), 1, 20, 3)
	if got, _ := table.Copy(nil, 0, 15, changes); len(got) != 1 || got[0].Value != 3 {
		t.Errorf("copied %v after a change", got)
	}
}

func TestIDs(t *testing.T) {
	long := string(make([]byte, 100_000))
	if again := CounterID(long, time.Hour); again != CounterID(strings.Clone(long), time.Hour) || CounterID(long, time.Hour) == CounterID(long+"x", time.Hour) {
		t.Error("long keys are not told apart")
	}
	if CounterID("a", time.Hour) == CounterID("a", time.Minute) {
		t.Error("windows of two lengths are one counter")
	}
	if CounterID("a", time.Millisecond) != CounterID("a", -5) {
		t.Error("a window that is none is not the shortest there is")
	}
}
