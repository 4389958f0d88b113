package lists_test

import (
	"net/netip"
	"strings"
	"testing"

	"millstream/handlers/lists"
)

// A lookup is a key and the value that is found for it; none for nothing.
type lookup struct{ key, want string }

const none = "(none)"

func check(t *testing.T, v *lists.View[string], tests []lookup) {
	t.Helper()
	for _, tt := range tests {
		for name, find := range map[string]func() (string, bool){
			"Lookup":      func() (string, bool) { return v.Lookup(tt.key) },
			"LookupBytes": func() (string, bool) { return v.LookupBytes([]byte(tt.key)) },
		} {
			got, ok := find()
			if !ok {
				got = none
			}
			if got != tt.want {
				t.Errorf("%s(%.80q) = %q, want %q", name, tt.key, got, tt.want)
			}
		}
		if has := v.List().Has(tt.key); has != (tt.want != none) {
			t.Errorf("Has(%.80q) = %v", tt.key, has)
		}
	}
}

func TestNames(t *testing.T) {
	v := open(t, lists.Names,
		"# comment", "", "   ", "mail.Example.com  one", "root", "bücher.example two", "Example.NET. three",
		"root second", "user@example.com four\r", "foo_bar # not a value", "x REJECT # a value")
	check(t, v, []lookup{
		{"mail.example.com", "one"},
		{"MAIL.EXAMPLE.COM", "one"},
		{"mail.example.com.", "one"},
		{"example.com", none},
		{"a.mail.example.com", none},
		{"root", ""},
		{"xn--bcher-kva.example", "two"},
		{"BÜCHER.example", "two"},
		{"bücher。example", "two"}, // the dot of another script
		{"example.net", "three"},
		{"user@example.com", "four"},
		{"foo_bar", ""},
		{"x", "REJECT # a value"},
		{"", none},
		{".", none},
		{strings.Repeat("x", 100_000), none},
		{"\xff\xfe", none},
	})
	if s := v.List().Status(); s.Entries != 7 || s.Repeated != 1 {
		t.Errorf("%d entries, %d repeated", s.Entries, s.Repeated)
	}
}

func TestDomains(t *testing.T) {
	v := open(t, lists.Domains,
		"example.com all", ".example.net below", "mail.example.com mail", "[192.0.2.1] literal", "bücher.example books",
		"org.", "under_score.example under")
	long := strings.Repeat("a.", 500)
	check(t, v, []lookup{
		{"example.com", "all"},
		{"Example.COM.", "all"},
		{"www.example.com", "all"},
		{"a.b.c.example.com", "all"},
		{"notexample.com", none},
		{"com", none},
		{"example.net", none},
		{"www.example.net", "below"},
		{"a.www.example.net", "below"},
		{"mail.example.com", "mail"},
		{"a.mail.example.com", "mail"},
		{"[192.0.2.1]", "literal"},
		{"[192.0.2.10]", none},
		{"shop.bücher.example", "books"},
		{"shop.xn--bcher-kva.example", "books"},
		{"anything.org", ""},
		{"under_score.example", "under"},
		{"", none},
		{".", none},
		{"..", none},
		{long + "example.com", "all"}, // nobody gets away by the length of a name
		{long + "www.example.net", "below"},
		{long + "bücher.example", "books"},
		{long + "example.invalid", none},
		{strings.Repeat("a", 400) + "example.com", none},
		{strings.Repeat("a", 400) + ".example.com", "all"},
	})
}

func TestAddresses(t *testing.T) {
	v := open(t, lists.Addresses,
		"user@example.com user", "@example.com host", "example.com domain", "postmaster@ postmaster", "<> null",
		".example.net below", `"john doe"@example.org john`, "Ünal@bücher.example unal", "list@[192.0.2.1] literal")
	check(t, v, []lookup{
		{"user@example.com", "user"},
		{"USER@EXAMPLE.COM", "user"},
		{"User@Example.com.", "user"},
		{`"user"@example.com`, "user"}, // the same mailbox in quotes
		{`"us\er"@example.com`, "user"},
		{"@relay.example,@b:user@example.com", "user"}, // a source route
		{"other@example.com", "host"},
		{"postmaster@example.com", "host"}, // the domain comes before the local part
		{"user@www.example.com", "domain"},
		{"postmaster@example.invalid", "postmaster"},
		{"Postmaster", "postmaster"},
		{"user", none},
		{"example.com", none}, // a local part, no domain
		{"", "null"},
		{"<>", "null"},
		{"a@example.net", none},
		{"a@b.example.net", "below"},
		{`"John Doe"@example.org`, "john"},
		{"Ünal@xn--bcher-kva.example", "unal"},
		{"a@b@example.com", "host"},
		{"list@[192.0.2.1]", "literal"},
		{"@", none},
		{"user@", none},
		{"postmaster@", "postmaster"},
		{strings.Repeat("x", 1000) + "@example.com", "host"}, // nor of a local part
		{strings.Repeat("x", 1000) + "@" + strings.Repeat("a.", 500) + "example.com", "domain"},
		{"postmaster@" + strings.Repeat("a", 1000), "postmaster"},
		{strings.Repeat("x", 1000), none},
	})
}

func TestNetworks(t *testing.T) {
	v := open(t, lists.Networks,
		"192.0.2.0/24 net", "192.0.2.7 one", "2001:db8::/32 six", "::ffff:198.51.100.0/120 mapped", "2001:db8::1 one6",
		"192.0.2.0/24 again")
	check(t, v, []lookup{
		{"192.0.2.1", "net"},
		{"192.0.2.7", "one"},
		{"192.0.3.1", none},
		{"::ffff:192.0.2.1", "net"},
		{"198.51.100.9", "mapped"},
		{"2001:db8:1::1", "six"},
		{"2001:db8::1", "one6"},
		{"2001:db8::1%eth0", "one6"},
		{"2001:db9::1", none},
		{"no address", none},
		{"", none},
	})
	if value, ok := v.LookupAddr(netip.MustParseAddr("::ffff:192.0.2.7")); value != "one" || !ok {
		t.Errorf("mapped address: %q %v", value, ok)
	}
	if _, ok := v.LookupAddr(netip.Addr{}); ok {
		t.Error("the zero address is found")
	}
	if l := v.List(); !l.HasAddr(netip.MustParseAddr("192.0.2.9")) || l.HasAddr(netip.MustParseAddr("192.0.3.9")) {
		t.Error("HasAddr is wrong")
	}
	if s := v.List().Status(); s.Entries != 5 || s.Repeated != 1 {
		t.Errorf("%d entries, %d repeated", s.Entries, s.Repeated)
	}
	if _, ok := open(t, lists.Names, "192.0.2.1").LookupAddr(netip.MustParseAddr("192.0.2.1")); ok {
		t.Error("a list of names has a network")
	}
}

// Names in ASCII are found without an allocation.
func TestLookupAllocs(t *testing.T) {
	names, domains := open(t, lists.Names, "host.example.com x"), open(t, lists.Domains, "example.com x")
	addresses, networks := open(t, lists.Addresses, "example.com x"), open(t, lists.Networks, "192.0.2.0/24 x")
	key, addr := []byte("User.With.A.Long.Name@Host.Example.Com"), netip.MustParseAddr("192.0.2.1")
	found := 0
	count := func(_ string, ok bool) {
		if ok {
			found++
		}
	}
	n := testing.AllocsPerRun(100, func() {
		found = 0
		count(names.Lookup("Host.Example.Com"))
		count(names.LookupBytes(key[22:]))
		count(domains.Lookup("a.b.c.d.e.f.Host.Example.Com"))
		count(domains.LookupBytes(key[22:]))
		count(addresses.LookupBytes(key))
		count(networks.LookupAddr(addr))
		count(networks.Lookup("192.0.2.77"))
	})
	if n != 0 || found != 7 {
		t.Errorf("%v allocations, %d found", n, found)
	}
}

// Before a set is open nothing is found, and that can be told from an empty list.
func TestNotOpen(t *testing.T) {
	set := lists.NewSet(lists.Config{})
	l, err := set.Add(lists.Spec{Name: "early", Kind: lists.Networks, Entries: []string{"0.0.0.0/0"}})
	if err != nil {
		t.Fatal(err)
	}
	v := lists.As(l, asText)
	_, byName := v.Lookup("192.0.2.1")
	_, byAddr := v.LookupAddr(netip.MustParseAddr("192.0.2.1"))
	if byName || byAddr || l.Has("192.0.2.1") || l.HasAddr(netip.MustParseAddr("192.0.2.1")) || l.Ready() {
		t.Error("something is found in a list that was not read")
	}
	if err := set.Open(); err != nil {
		t.Fatal(err)
	}
	if !l.Ready() || !l.HasAddr(netip.MustParseAddr("192.0.2.1")) {
		t.Error("nothing is found after Open")
	}
	defer func() {
		if recover() == nil {
			t.Error("a view after Open does not panic")
		}
	}()
	lists.As(l, asText)
}
