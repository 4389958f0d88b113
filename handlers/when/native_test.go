package when

import (
	"reflect"
	"testing"
)

// The usual shapes become functions, which give what the engine gives.
func TestNative(t *testing.T) {
	for _, source := range []string{
		`!authenticated && !in_network("trusted")`,
		`authenticated == tls or not tls and authenticated != tls`,
		`sender_domain == "example.com" && sender != "x" || false`,
		`sender_domain in ["a", "example.com"]`,
		`sender_domain not in ["a", "example.com"]`,
		`in_list("vip", lower(sender))`,
		`upper(sender) startsWith "ALICE" && sender endsWith "COM" && sender contains "@"`,
		`sender matches "(?i)^alice"`,
		`rcpt_count > 1 && rcpt_count >= 2 && rcpt_count < 3 && rcpt_count <= 2 && rcpt_count == 2 && rcpt_count != 1`,
		`size in 10..16 && size not in 17..18`,
		`header("Subject") == "one" && macro("auth_authen") == "alice"`,
		`stage == "end-of-message" && hour in 0..23`,
		`result("spamcheck").failed || result("spamcheck").verdict == ""`,
	} {
		p, err := Compile(source, fuzzNames)
		if err != nil {
			t.Fatal(err)
		}
		if p.native.flag == nil {
			t.Errorf("%s is left to the engine", source)
			continue
		}
		for _, m := range fuzzMoments(p.unit) {
			want, err := p.run(m)
			if got := p.native.flag(m); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s at %v: %v, the engine gives %v, %v", source, m.kind, got, want, err)
			}
		}
	}
}

// What it costs to work an expression out, as a function and in the engine.
func BenchmarkEvaluate(b *testing.B) {
	for _, tt := range []struct{ name, source string }{
		{"word", `sender_domain == "bad.example"`},
		{"network", `in_network("192.0.2.0/24")`},
		{"several", `rcpt_count > 50 || sender_domain == "bad.example" && !in_network("trusted")`},
	} {
		p, err := Compile(tt.source, fuzzNames)
		if err != nil {
			b.Fatal(err)
		}
		m := fuzzMoments(p.unit)[1]
		b.Run(tt.name+"/function", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.native.flag(m)
			}
		})
		b.Run(tt.name+"/engine", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.run(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
