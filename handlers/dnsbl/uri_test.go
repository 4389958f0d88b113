package dnsbl

import (
	"slices"
	"strings"
	"testing"
)

// hostsIn returns the hosts in a text that comes in pieces of a size.
func hostsIn(text string, size int) []string {
	s := scanner{bytes: 1 << 20, room: 20}
	for b := []byte(text); len(b) > 0; {
		n := min(size, len(b))
		s.write(b[:n])
		b = b[n:]
	}
	s.end()
	return s.hosts
}

// TestHosts finds hosts in texts, however they are split.
func TestHosts(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"http://a.example", "a.example"},
		{"x HTTPS://A.Example/path?http://b.example", "a.example b.example"},
		{"hhttp://a.example hthttps://b.example htttp://c.example", "a.example b.example"},
		{"http:/a.example http//b.example https:a.example httpss://c.example ftp://d.example", ""},
		{"<a href=\"http://a.example\">http://b.example.</a> (http://c.example), http://d.example; [http://e.example]", "a.example b.example c.example d.example e.example"},
		{"http://a.example:8080/ http://b.example:x http://c.example#f http://d.example\\e", "a.example b.example c.example d.example"},
		{"http://www.bank.example@evil.example/ http://u:p@w.example http://a.example:p@x@z.example", "evil.example w.example z.example"},
		{"http://a.example!x http://b.example*", "a.example b.example"},
		{"http://a.example http://A.EXAMPLE. http://a.example", "a.example"},
		{"http://192.0.2.1/ http://[2001:db8::1]/ http://localhost/ http:// http://. http://a..b", ""},
		{"http://bücher.example/", "xn--bcher-kva.example"},
		{"http=\r\n://lo=\r\nng.exam=\nple/=\r\n", "long.example"},
		{"href=3D\"http://a.example\" x=http://b.example =\rhttp://c.example", "a.example b.example c.example"},
		{"http://a.example=\r/", "a.example"},
		{"http://" + strings.Repeat("a", 300) + ".example/ http://" + strings.Repeat("a.", 200) + "example http://b.example", "b.example"},
	}
	for _, tt := range tests {
		for _, size := range []int{1, 2, 3, 7, 1 << 20} {
			if got := strings.Join(hostsIn(tt.text, size), " "); got != tt.want {
				t.Errorf("%q by %d: %q, want %q", tt.text, size, got, tt.want)
			}
		}
	}
}

// TestHostLimits stops at as many hosts and bytes as there may be.
func TestHostLimits(t *testing.T) {
	s := scanner{bytes: 1000, room: 2}
	s.write([]byte("http://a.example http://b.example "))
	if !s.full() {
		t.Error("not full of hosts")
	}
	s.write([]byte("http://c.example "))
	if want := []string{"a.example", "b.example"}; !slices.Equal(s.hosts, want) {
		t.Errorf("%q", s.hosts)
	}
	s = scanner{bytes: 17, room: 9}
	s.write([]byte("http://a.example http://b.example "))
	s.write([]byte("http://c.example "))
	s.end()
	if want := []string{"a.example"}; !slices.Equal(s.hosts, want) || !s.full() {
		t.Errorf("%q", s.hosts)
	}
}

// FuzzHosts finds the same in a text however it is split, and nothing but domains.
func FuzzHosts(f *testing.F) {
	for _, s := range []string{"", "http://a.example:80/x", "https://u@a=\r\n.example", "hthttp://ü.example", "http://[::1]"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		whole := hostsIn(string(text), len(text)+1)
		if parts := hostsIn(string(text), 1+max(0, size%64)); !slices.Equal(whole, parts) {
			t.Errorf("%q whole, %q in pieces", whole, parts)
		}
		for _, host := range whole {
			if domain(host) != host {
				t.Errorf("%q is no domain", host)
			}
		}
	})
}

// FuzzPattern reads anything as a pattern: it is refused, or begins with 127.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"127.0.0.2", "127.*.1-2.&4", "", "1.2.3.4", "127.0.0.2-"} {
		f.Add(s, []byte{127, 0, 0, 2})
	}
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		p, err := parsePattern(s)
		if err != nil || len(b) != 4 {
			return
		}
		if p.fits([4]byte(b)) && b[0] != loopback {
			t.Errorf("%q fits %v", s, b)
		}
	})
}

// FuzzText compiles anything: what comes of it is one line that fits a reply.
func FuzzText(f *testing.F) {
	f.Add("{{zones}} {{", "x")
	f.Add("{{reason}}{{ listed }}", "\r\n\xff")
	f.Fuzz(func(t *testing.T, s, said string) {
		c, err := compile(s)
		if err != nil {
			return
		}
		v := &verdict{client: said, helo: said, sender: said, found: []*finding{{list: &list{name: said}, subject: said, reasons: []string{said}}}}
		if got := c.of(v); !isPlain(got) || len(got) > 2*maxText {
			t.Errorf("%q", got)
		}
	})
}

// BenchmarkHosts searches a text without hosts.
func BenchmarkHosts(b *testing.B) {
	text := []byte(strings.Repeat("The quick brown fox jumps over the lazy dog; that has happened.\r\n", 1000))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := scanner{bytes: len(text), room: 20}
		s.write(text)
	}
}
