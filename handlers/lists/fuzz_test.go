package lists

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// FuzzParse reads any bytes as a list of each kind. What is taken must be found by
// looking up the key of the entry, with the value of the first entry of that key.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"192.0.2.0/24 REJECT text\n2001:db8::/32\n# comment\n\n192.0.2.1\r\n",
		"example.com OK\n.example.net\nbücher.example\n[192.0.2.1] 550 no\n",
		"user@example.com x\nuser@\n@example.com\n<>\n\"a b\"@example.org y\n",
		"\ufeffa\nA b\n a\n", "a\x00b\n\xff\n", strings.Repeat("x", 300) + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for kind := Networks; kind <= Addresses; kind++ {
			limits := &Config{MaxEntries: 50, MaxLine: 400}
			p := newParser(kind, limits, func(line int) string { return fmt.Sprint(line) })
			if err := p.read(bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			table, err := p.done()
			if err != nil {
				if len(p.mistakes) > maxMistakes+1 {
					t.Errorf("%d mistakes", len(p.mistakes))
				}
				continue
			}
			checkTable(t, table, data)
		}
	})
}

// checkTable looks up each entry of a list.
func checkTable(t *testing.T, table *table, data []byte) {
	first := make(map[string]string)
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		key, value, err := ParseEntry(table.kind, strings.TrimSuffix(line, "\n"))
		if err != nil {
			continue // a comment
		}
		if _, there := first[key]; !there {
			first[key] = value
		}
	}
	if len(first) != table.entries {
		t.Fatalf("%v: %d entries, want %d", table.kind, table.entries, len(first))
	}
	for key, value := range first {
		var number uint32
		var ok bool
		if table.kind == Networks {
			prefix, err := network(key)
			if err != nil {
				t.Fatal(err)
			}
			number, ok = table.networks.Get(prefix)
		} else {
			number, ok = table.keys.find([]byte(key))
		}
		if !ok || table.values[number] != value {
			t.Errorf("%v: %q has %q, %v, want %q", table.kind, key, table.values[number], ok, value)
		}
	}
}

// FuzzFind looks up anything. The same is found however it is given, and what is long
// takes no longer than what is short.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{"user@example.com", `"a\b"@x`, "@a:b@c.example.com.", "<>", "[192.0.2.1]", "::1%x", "bücher。example", "\xff.example.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		for kind := Networks; kind <= Addresses; kind++ {
			list := "example.com 1\n.example.net 2\nuser@ 3\n<> 4\n"
			switch kind {
			case Networks:
				list = "192.0.2.0/24 1\n::/8 2\n"
			case Domains:
				list = "example.com 1\n.example.net 2\n"
			}
			table := readTable(t, kind, []byte(list))
			a, okA := find(table, key)
			b, okB := find(table, []byte(key))
			if a != b || okA != okB {
				t.Errorf("%v %q: %d %v as text, %d %v as bytes", kind, key, a, okA, b, okB)
			}
			if kind == Domains && !okA && strings.HasSuffix(key, ".example.com") {
				t.Errorf("%q is not below example.com", key)
			}
		}
	})
}
