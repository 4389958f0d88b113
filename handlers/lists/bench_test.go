package lists

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// million is how many entries the lists of the benchmarks have.
const million = 1_000_000

// entry returns entry i of a list for benchmarks. Entries are scattered as those of
// real lists are: none is near the one before.
func entry(kind Kind, i int) string {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	n := r.Uint32()
	switch kind {
	case Networks:
		p, _ := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).Prefix(20 + int(r.Uint32()%13))
		return p.String()
	case Addresses:
		return "user" + strconv.Itoa(i) + "@host" + strconv.FormatUint(uint64(n), 36) + ".example.com"
	}
	return "host" + strconv.FormatUint(uint64(n), 36) + "-" + strconv.Itoa(i) + ".example.com"
}

// listing returns a list of count entries.
func listing(kind Kind, count int) []byte {
	var b bytes.Buffer
	for i := range count {
		b.WriteString(entry(kind, i))
		if i%2 == 0 {
			b.WriteString(" REJECT not from here")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// heap returns how many bytes are in use.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func readTable(tb testing.TB, kind Kind, data []byte) *table {
	tb.Helper()
	p := newParser(kind, &NewSet(Config{}).cfg, strconv.Itoa)
	if err := p.read(bytes.NewReader(data)); err != nil {
		tb.Fatal(err)
	}
	t, err := p.done()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// BenchmarkRead tells the time to read a million entries, and the memory that they take
// from then on.
func BenchmarkRead(b *testing.B) {
	for _, kind := range []Kind{Networks, Names, Addresses} {
		b.Run(kind.String(), func(b *testing.B) {
			data := listing(kind, million)
			var t *table
			before := heap()
			for b.Loop() {
				t = readTable(b, kind, data)
			}
			b.ReportMetric((heap()-before)/million, "B/entry")
			runtime.KeepAlive(t)
			runtime.KeepAlive(data)
		})
	}
}

// BenchmarkLookup tells the time to find one of a million entries, and to find that
// there is none.
func BenchmarkLookup(b *testing.B) {
	const some = 1 << 16 // far apart, so that each is looked for in memory that is not in a cache
	for _, kind := range []Kind{Names, Domains, Addresses} {
		t := readTable(b, kind, listing(kind, million))
		for _, hit := range []bool{true, false} {
			keys := make([][]byte, some)
			for i := range keys {
				key := entry(kind, i*(million/some))
				if !hit {
					key = strings.NewReplacer("host", "mail", "user", "info").Replace(key)
				}
				keys[i] = []byte(key)
			}
			b.Run(fmt.Sprintf("%v/hit=%v", kind, hit), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, ok := find(t, keys[i%some]); ok != hit {
						b.Fatalf("%s: %v", keys[i%some], ok)
					}
				}
			})
		}
	}
	b.Run("networks", func(b *testing.B) {
		t := readTable(b, Networks, listing(Networks, million))
		addrs := make([]netip.Addr, some)
		for i := range addrs {
			addrs[i] = netip.MustParsePrefix(entry(Networks, i*(million/some))).Addr()
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok := t.findAddr(addrs[i%some]); !ok {
				b.Fatal(addrs[i%some])
			}
		}
	})
}

// BenchmarkCandidates compares ways to keep a million names: the index, a map, and an
// arena that is sorted.
func BenchmarkCandidates(b *testing.B) {
	names := make([]string, million)
	for i := range names {
		names[i] = entry(Names, i)
	}
	for _, c := range []struct {
		name string
		make func() func(key []byte) bool
	}{
		{"index", func() func([]byte) bool {
			var arena []byte
			for _, n := range names {
				arena = appendRecord(arena, []byte(n), 1)
			}
			x, _ := newIndex(arena, len(names))
			return func(key []byte) bool { _, ok := x.find(key); return ok }
		}},
		{"map", func() func([]byte) bool {
			m := make(map[string]uint32)
			for _, n := range names {
				m[strings.Clone(n)] = 1
			}
			return func(key []byte) bool { _, ok := m[string(key)]; return ok }
		}},
		{"sorted", func() func([]byte) bool {
			sorted := slices.Sorted(slices.Values(names))
			var arena []byte
			places := make([]uint32, 0, len(sorted))
			for _, n := range sorted {
				places = append(places, uint32(len(arena)))
				arena = appendRecord(arena, []byte(n), 1)
			}
			arena = bytes.Clone(arena)
			return func(key []byte) bool {
				_, ok := slices.BinarySearchFunc(places, key, func(place uint32, key []byte) int {
					stored, _, _ := record(arena[place:])
					return bytes.Compare(stored, key)
				})
				return ok
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			before := heap()
			has := c.make()
			bytes := (heap() - before) / million
			for i := 0; b.Loop(); i++ {
				if key := names[i*7919%million]; !has([]byte(key)) {
					b.Fatalf("%s is not found", key)
				}
			}
			b.ReportMetric(bytes, "B/entry")
			runtime.KeepAlive(has)
		})
	}
	runtime.KeepAlive(names)
}
