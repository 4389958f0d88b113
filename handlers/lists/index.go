package lists

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
)

// An index finds a number by a key. It is three slices without pointers, so that the
// garbage collector has nothing to do with a million keys, and it does not change.
type index struct {
	seed   maphash.Seed
	arena  []byte   // the entries: length of the key, key, number; lengths and numbers as uvarint
	tags   []uint8  // of each slot: part of the hash of its key, 0 if it is empty
	places []uint32 // of each slot: where its entry stands in the arena
}

// maxArena is how long an arena may be: its places are of 32 bits.
const maxArena = math.MaxInt32

// appendRecord appends an entry to an arena.
func appendRecord(arena, key []byte, number uint32) []byte {
	arena = binary.AppendUvarint(arena, uint64(len(key)))
	arena = append(arena, key...)
	return binary.AppendUvarint(arena, uint64(number))
}

// record returns the first entry of an arena, and how long it is.
func record(arena []byte) (key []byte, number uint32, size int) {
	length, n := binary.Uvarint(arena)
	end := n + int(length)
	value, m := binary.Uvarint(arena[end:])
	return arena[n:end], uint32(value), end + m
}

// newIndex returns the index of an arena of count entries. Of entries with the same
// key the first counts; repeated is how many do not.
func newIndex(arena []byte, count int) (x index, repeated int) {
	if count == 0 {
		return x, 0
	}
	slots := count + count/3 + 1 // three in four are taken
	x = index{
		seed: maphash.MakeSeed(), arena: append(make([]byte, 0, len(arena)), arena...),
		tags: make([]uint8, slots), places: make([]uint32, slots),
	}
	for place := 0; place < len(x.arena); {
		key, _, size := record(x.arena[place:])
		slot, tag, found := x.slot(key)
		if found {
			repeated++
		} else {
			x.tags[slot], x.places[slot] = tag, uint32(place)
		}
		place += size
	}
	return x, repeated
}

// find returns the number of a key.
func (x *index) find(key []byte) (number uint32, ok bool) {
	if len(x.tags) == 0 || len(key) > maxKey {
		return 0, false
	}
	slot, _, ok := x.slot(key)
	if !ok {
		return 0, false
	}
	_, number, _ = record(x.arena[x.places[slot]:])
	return number, true
}

// slot returns the slot of a key, or the empty one that it would have, and its tag.
func (x *index) slot(key []byte) (slot int, tag uint8, found bool) {
	hash := maphash.Bytes(x.seed, key)
	high, _ := bits.Mul64(hash, uint64(len(x.tags))) // by the upper bits of the hash; the tag is of the lower
	slot, tag = int(high), max(uint8(hash), 1)
	for x.tags[slot] != 0 {
		if x.tags[slot] == tag {
			if stored, _, _ := record(x.arena[x.places[slot]:]); string(stored) == string(key) {
				return slot, tag, true
			}
		}
		if slot++; slot == len(x.tags) {
			slot = 0
		}
	}
	return slot, tag, false
}
