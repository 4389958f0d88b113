package resolver

import (
	"errors"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// FuzzRead reads anything as a response.
func FuzzRead(f *testing.F) {
	q := question{"x.test.", dns.TypeTXT}
	query := new(dns.Msg)
	query.SetQuestion(q.name, q.kind)
	asked, err := query.Pack()
	if err != nil {
		f.Fatal(err)
	}
	for _, lines := range [][]string{
		nil,
		{"x.test. 1 TXT a \"b\\\"\""},
		{"x.test. 1 CNAME y.test.", "y.test. 1 TXT z"},
		{"x.test. 1 CNAME x.test."},
		{"x.test. 1 A 192.0.2.1", "x.test. 1 MX 1 ."},
	} {
		m := new(dns.Msg)
		m.SetReply(query)
		m.Answer = records(f, lines...)
		m.Ns = records(f, "test. 1 SOA a. b. 1 1 1 1 1")
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		if !answers(response, asked) {
			return
		}
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypePTR, dns.TypeMX} {
			a, err := question{q.name, kind}.read(response)
			switch {
			case err != nil && (a != nil || !errors.Is(err, ErrServer)):
				t.Errorf("%v, %v", a, err)
			case err == nil && (len(a.addrs)+len(a.texts)+len(a.mx) > maxRecords || a.size > maxBytes || a.ttl < 0):
				t.Errorf("%+v", a)
			}
		}
	})
}

// FuzzCanonical makes names of anything: what comes of it can be asked for, and stays as
// it is.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"", ".", "x.test", "X.TEST.", "a..b", "ü.test", `a\046b`, strings.Repeat("a.", 127)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, ok := canonical(s)
		if !ok {
			return
		}
		if again, ok := canonical(name); !ok || again != name {
			t.Errorf("%q becomes %q", name, again)
		}
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeA)
		packed, err := m.Pack()
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if asked, ok := firstQuestion(packed); !ok || !strings.EqualFold(plain(asked.Name), name) {
			t.Errorf("%q is asked for as %q", name, asked.Name)
		}
	})
}

// FuzzPlain sends texts through the library and back.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "a", `"\`, "\x00\x80\xff", `\065`, `\`, `\9`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plain(s) // never panics
		if len(s) > 255 {
			return
		}
		rdata := append([]byte{byte(len(s))}, s...)
		header := &dns.RR_Header{Rrtype: dns.TypeTXT, Class: dns.ClassINET, Rdlength: uint16(len(rdata))}
		rr, _, err := dns.UnpackRRWithHeader(*header, rdata, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := plain(rr.(*dns.TXT).Txt[0]); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
