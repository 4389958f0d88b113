package when_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"millstream/handlers/when"
)

// Mistakes are gathered as they are found; what is none is not.
func ExampleMistakes() {
	var mistakes when.Mistakes
	_, err := when.Compile(`sendr == ""`, nil)
	mistakes.Add("rule[0].when", err)
	_, err = when.Compile(`sender == ""`, nil)
	mistakes.Add("rule[1].when", err)
	mistakes.AddText("rule[2]", "it does nothing: leave it out")
	fmt.Println(mistakes.Err())
	// Output:
	// rule[0].when: 1:1: unknown name "sendr": did you mean sender?
	// rule[2]: it does nothing: leave it out
}

// Behind the error of mistakes are all of them, and their reasons.
func TestMistakes(t *testing.T) {
	var mistakes when.Mistakes
	if err := mistakes.Err(); err != nil {
		t.Errorf("without mistakes: %v", err)
	}
	reason := &when.Error{Line: 2, Column: 3, Message: "it is wrong", Hint: "leave it out"}
	mistakes.Add("if", reason)
	if e, ok := errors.AsType[*when.SettingError](mistakes.Err()); !ok || e.Key != "if" || !errors.Is(e, reason) {
		t.Errorf("error %#v", e)
	}
	mistakes.Tell(func(key, text string) {
		if key != "if" || text != "2:3: it is wrong: leave it out" {
			t.Errorf("%s: %s", key, text)
		}
	})
}

// A network is one that has a name, or is written out.
func TestNamedNetwork(t *testing.T) {
	inside, outside := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
	names := &when.Names{Networks: map[string]when.Network{
		"inside": when.Prefixes(netip.MustParsePrefix("192.0.2.0/24")),
		"::/0":   when.Prefixes(netip.MustParsePrefix("192.0.2.1/32")), // a name counts more
	}}
	for _, tt := range []struct {
		word  string
		names *when.Names
		has   bool
		err   string
	}{
		{"inside", names, true, ""},
		{"192.0.2.0/24", nil, true, ""},
		{"192.0.2.1", nil, true, ""},
		{"::ffff:192.0.2.1", nil, true, ""},
		{"::/0", names, true, ""},
		{"outside", &when.Names{Open: true}, false, ""},
		{"insde", names, false, `"insde" is no network such as 192.0.2.0/24, and none is called so: did you mean inside?`},
		{"fe80::1%eth0", nil, false, `"fe80::1%eth0" is no network such as 192.0.2.0/24, and none is called so: none is configured`},
		{"", names, false, `"" is no network such as 192.0.2.0/24, and none is called so: there are ::/0, inside`},
	} {
		n, err := tt.names.Network(tt.word)
		switch {
		case tt.err != "" || err != nil:
			if err == nil || err.Error() != tt.err {
				t.Errorf("%q: %v, want %s", tt.word, err, tt.err)
			}
		case n.HasAddr(inside) != tt.has || n.HasAddr(outside):
			t.Errorf("%q has %v: %v, and %v: %v", tt.word, inside, !tt.has, outside, n.HasAddr(outside))
		}
	}
}

// A network of several words is what any of them stands for, however they do; each that
// stands for nothing is told.
func TestAnyNetwork(t *testing.T) {
	names := &when.Names{Networks: map[string]when.Network{
		"named": when.Prefixes(netip.MustParsePrefix("203.0.113.0/24")), "other": single(netip.MustParseAddr("198.51.100.7")),
	}}
	var wrong []int
	n := names.AnyNetwork([]string{"192.0.2.0/25", "nobody", "named", "2001:db8::1", "other", "10.0.0.0/33"}, func(i int, err error) {
		if err == nil {
			t.Error("no error")
		}
		wrong = append(wrong, i)
	})
	if !slices.Equal(wrong, []int{1, 5}) {
		t.Errorf("wrong are %v", wrong)
	}
	for addr, want := range map[string]bool{
		"192.0.2.127": true, "::ffff:192.0.2.1": true, "203.0.113.9": true, "2001:db8::1": true, "198.51.100.7": true,
		"192.0.2.128": false, "2001:db8::2": false, "198.51.100.8": false,
	} {
		if n.HasAddr(netip.MustParseAddr(addr)) != want {
			t.Errorf("%s in it: %t", addr, !want)
		}
	}
	var none *when.Names
	if n := none.AnyNetwork(nil, nil); n.HasAddr(netip.MustParseAddr("192.0.2.1")) || n.HasAddr(netip.Addr{}) {
		t.Error("an address is in no network")
	}
}

// single is a network of one address that is no set of prefixes.
type single netip.Addr

func (s single) HasAddr(a netip.Addr) bool { return netip.Addr(s) == a }
