package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"millstream/handlers/resolver/dnstest"
)

var testZones = map[string]string{
	"mail.test": `@ A 192.0.2.1
@ MX 20 b.mail.test.
@ MX 10 a.mail.test.
@ TXT "v=spf1 " "-all"
odd TXT "\"quoted\\ \195\188\007"
two A 192.0.2.2
two A 192.0.2.3
six AAAA 2001:db8::6
alias CNAME further
further CNAME two
away CNAME two.other.test.
null MX 0 .
big TXT "` + strings.Repeat("x", 250) + `" "` + strings.Repeat("y", 250) + `"
` + strings.Repeat(`big TXT "`+strings.Repeat("z", 200)+"#\"\n", 1) + longTexts(12),
	"2.0.192.in-addr.arpa": "1 PTR mail.test.\n1 PTR other.test.\n",
	"ip6.arpa":             "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2 PTR six.mail.test.\n",
}

// longTexts returns records that do not fit a datagram.
func longTexts(n int) (zone string) {
	for i := range n {
		zone += `big TXT "` + strings.Repeat(string(rune('a'+i)), 200) + "\"\n"
	}
	return zone
}

// TestLookups asks a real server for records of all types.
func TestLookups(t *testing.T) {
	c := newClient(t, Config{Servers: []string{dnstest.Run(t, testZones).Addr}})
	ctx := t.Context()
	addr := netip.MustParseAddr
	for _, name := range []string{"mail.test", "mail.test.", "MAIL.test"} {
		list, err := c.LookupA(ctx, name)
		want(t, name, list, err, addr("192.0.2.1"))
	}
	for _, name := range []string{"alias.mail.test", "alias.mail.test", "further.mail.test"} {
		list, err := c.LookupA(ctx, name)
		if len(list) == 2 && list[0].Compare(list[1]) > 0 {
			list[0], list[1] = list[1], list[0]
		}
		want(t, name, list, err, addr("192.0.2.2"), addr("192.0.2.3"))
	}
	six, err := c.LookupAAAA(ctx, "six.mail.test")
	want(t, "AAAA", six, err, addr("2001:db8::6"))
	mx, err := c.LookupMX(ctx, "mail.test")
	want(t, "MX", mx, err, MX{"a.mail.test", 10}, MX{"b.mail.test", 20})
	mx, err = c.LookupMX(ctx, "null.mail.test")
	want(t, "null MX", mx, err, MX{"", 0})
	texts, err := c.LookupTXT(ctx, "mail.test")
	want(t, "TXT", texts, err, "v=spf1 -all")
	texts, err = c.LookupTXT(ctx, "odd.mail.test")
	want(t, "odd TXT", texts, err, "\"quoted\\ ü\a")
	names, err := c.LookupPTR(ctx, addr("192.0.2.1"))
	if len(names) == 2 && names[0] > names[1] {
		names[0], names[1] = names[1], names[0]
	}
	want(t, "PTR", names, err, "mail.test", "other.test")
	names, err = c.LookupPTR(ctx, addr("::ffff:192.0.2.1"))
	if err != nil || len(names) != 2 {
		t.Errorf("PTR of a mapped address: %v, %v", names, err)
	}
	names, err = c.LookupPTR(ctx, addr("2001:db8::6%eth0"))
	want(t, "PTR of IPv6", names, err, "six.mail.test")
}

// TestTruncated looks up what fits no datagram: it comes over TCP.
func TestTruncated(t *testing.T) {
	c := newClient(t, Config{Servers: []string{dnstest.Run(t, testZones).Addr}})
	texts, err := c.LookupTXT(t.Context(), "big.mail.test")
	if err != nil || len(texts) != 14 {
		t.Fatalf("%d texts, %v", len(texts), err)
	}
	for _, text := range texts {
		if len(text) < 200 {
			t.Errorf("text of %d bytes", len(text))
		}
	}
}

// TestNotFound looks up what is not there, and what cannot be.
func TestNotFound(t *testing.T) {
	c := newClient(t, Config{Servers: []string{dnstest.Run(t, testZones).Addr}})
	for _, name := range []string{
		"none.mail.test", "six.mail.test", "", ".", "..", "a..mail.test", "a b.mail.test", "ü.mail.test",
		`a\.mail.test`, strings.Repeat("x", 64) + ".mail.test", strings.Repeat("x.", 127) + "mail.test",
	} {
		addrs, err := c.LookupA(t.Context(), name)
		wantError(t, name, err, ErrNotFound)
		var other *net.DNSError
		if len(addrs) > 0 || !errors.As(err, &other) || !other.IsNotFound || other.IsTimeout || other.IsTemporary {
			t.Errorf("%q: %v, %+v", name, addrs, other)
		}
	}
	if _, err := c.LookupPTR(t.Context(), netip.Addr{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("PTR of no address: %v", err)
	}
	// It has an alias, but that is in no zone of this server.
	_, err := c.LookupA(t.Context(), "away.mail.test")
	wantError(t, "away", err, ErrNotFound)
}

// TestOwned changes what was returned: nobody else sees it.
func TestOwned(t *testing.T) {
	s := dnstest.Serve(t, replying(t, func(m *dns.Msg) { m.Answer = records(t, "x.test. 60 TXT one") }))
	c := newClient(t, Config{Servers: []string{s.Addr}})
	first, err := c.LookupTXT(t.Context(), "x.test")
	if err != nil {
		t.Fatal(err)
	}
	first[0] = "changed"
	second, err := c.LookupTXT(t.Context(), "x.test")
	want(t, "again", second, err, "one")
}

// TestConfig has configurations that cannot be, and those of the system.
func TestConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("# comment\nsearch example\nnameserver 192.0.2.1\nnameserver fe80::1%lo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		cfg  Config
		want string // servers, or a part of the error
	}{
		{Config{Servers: []string{"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:54"}}, "192.0.2.1:53 192.0.2.1:5353 [2001:db8::1]:53 [2001:db8::1]:54"},
		{Config{ResolvConf: file}, "192.0.2.1:53 [fe80::1%lo]:53"},
		{Config{ResolvConf: empty}, "127.0.0.1:53"},
		{Config{ResolvConf: "/none/here"}, "no servers: open /none/here"},
		{Config{Servers: []string{"dns.example"}}, `server "dns.example" is no address: write 192.0.2.1`},
		{Config{Servers: []string{"127.0.0.1"}, MaxTTL: -1}, "MaxTTL is negative"},
	}
	for _, tt := range tests {
		var got []string
		c, err := New(tt.cfg)
		if c != nil {
			for _, s := range c.servers {
				got = append(got, s.text)
			}
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = err.Error()
		}
		if errors.Is(err, ErrConfig) != (err != nil) || !strings.Contains(text, tt.want) {
			t.Errorf("%+v: %s, want %s", tt.cfg, text, tt.want)
		}
	}
}

// TestDeadContext asks nobody.
func TestDeadContext(t *testing.T) {
	s := dnstest.Serve(t, silence)
	c := newClient(t, Config{Servers: []string{s.Addr}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.LookupA(ctx, "x.test")
	wantError(t, "canceled", err, context.Canceled)
	ctx, cancel = context.WithTimeout(t.Context(), -1)
	defer cancel()
	_, err = c.LookupA(ctx, "x.test")
	wantError(t, "too late", err, ErrTimeout)
	if n := s.Queries(); n != 0 {
		t.Errorf("%d queries", n)
	}
}
