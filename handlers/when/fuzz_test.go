package when

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// fuzzNames are those that fuzzed expressions may use.
var fuzzNames = &Names{
	Networks: map[string]Network{"trusted": Prefixes(netip.MustParsePrefix("192.0.2.0/24"))},
	Lists:    map[string]List{"vip": Words("alice@example.com")},
	Results:  map[string]handlers.Kind{"spamcheck": atEOM},
}

// fuzzMoments are the moments at which fuzzed expressions are worked out.
func fuzzMoments(u *unit) []moment {
	macros := new(protocol.Macros)
	macros.Set(protocol.CodeMailFrom, "auth_authen", "alice")
	c := handlers.NewControl(context.Background(), handlers.Facts{
		Listener: "inet:10025", Host: "client.example", Helo: "client.example", Macros: macros,
		Client: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.7"), Port: 25},
	}, nil)
	full := &facts{
		sender: "Alice@Example.COM", params: []string{"SIZE=3"}, rcpt: "b@c", rcptParams: []string{"NOTIFY=NEVER"},
		rcpts: []string{"b@c", "d@e"}, count: 2, fields: 3, size: 16,
	}
	for range u.headers {
		full.headers = append(full.headers, []string{"one", "two \xff"})
	}
	s := c.Begin(context.Background())
	return []moment{{s, new(facts), atMail}, {s, full, atEOM}}
}

// No source makes the compiler panic, an error has its place within the source, and
// what was made a function gives what the engine gives.
func FuzzCompile(f *testing.F) {
	for _, source := range []string{
		`!authenticated && in_network("trusted") || in_list("vip", lower(sender))`,
		`sender_domain in ["a", "b"] and not (helo matches "^x.*$")`,
		`any(rcpts, # endsWith "@x") ? size > 1.5 : rcpt_count in 1..3`,
		`let d = header("Subject"); d contains "x" && len(headers("A")) % 2 == 1`,
		`result("spamcheck").verdict == 'reject' && macro("i", "data") != ""`,
		`stage == "data" || upper(trim(sender))[1:3] startsWith "LI"`,
		`sum(map([1,2], {# * 2})) ** 2 > hour | abs()`, "1..2", "nil?.x ?? {a: 1}", "#", `"\xff" < rcpt`, `if true { 1 } else { 2 }`, "b'x'",
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := Compile(source, fuzzNames)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Fatalf("%q: %#v", source, err)
			}
			return
		}
		if _, err := Handler(p, handlers.Need(atEOM)); err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		for _, m := range fuzzMoments(p.unit) {
			want, err := p.run(m)
			if err != nil {
				continue // a function cannot fail
			}
			if got, err := p.value(m); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %v, %v; the engine gives %v", source, got, err, want)
			}
		}
	})
}

// No template makes a header or a reply that ends its line.
func FuzzTemplate(f *testing.F) {
	for _, source := range []string{`{{sender}} via {{client_addr}}`, "a\r\n{{ \"x\\u0000\" }}", "{{rcpts}}", "}}{{", "{{1}}\xff\u0085"} {
		f.Add(source, "x\r\ny")
	}
	f.Fuzz(func(t *testing.T, source, sender string) {
		text, err := Template(source, fuzzNames)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("%q: %#v", source, err)
			}
			return
		}
		m := fuzzMoments(text.unit)[0]
		m.f.sender = sender
		m.s.Shelf().Set(text.key, m.f)
		line, err := text.Reply(m.s)
		if err != nil {
			return
		}
		if _, err := protocol.NewSMTPReply(550, "", line[:min(len(line), 900)]); err != nil {
			t.Errorf("%q: reply %q: %v", source, line, err)
		}
		value, _ := text.Header(m.s)
		for _, c := range []byte(value) {
			if c < ' ' || c == 0x7f {
				t.Errorf("%q: header %q", source, value)
			}
		}
	})
}
