package resolver

import "testing"

// BenchmarkCached looks up what is known.
func BenchmarkCached(b *testing.B) {
	c := newClient(b, Config{Servers: []string{"127.0.0.1"}})
	m := records(b, "x.test. 60 A 192.0.2.1")
	a := new(answer)
	a.add(m[0])
	a.ttl = c.cfg.MaxTTL
	c.keep(question{"x.test.", m[0].Header().Rrtype}, a)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.LookupA(b.Context(), "x.test"); err != nil {
			b.Fatal(err)
		}
	}
}
