package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// expressionsFile has handlers that go by networks, lists and what others found out.
const expressionsFile = `
[networks]
internal = ["192.0.2.0/24", "2001:db8::1"]
[lists]
vip = ["a@example.com"]

[[handler]]
type = "reply"
name = "inside"
stage = "mail"
verdict = "accept"
when = 'in_network("internal") && in_list("vip", sender)'

[[handler]]
type = "fails"
name = "early"
at = "connect"
on_error = "continue"

[[handler]]
type = "fails"
name = "scan"
on_error = "continue"

[[handler]]
type = "reply"
name = "greylist"
stage = "rcpt"
verdict = "tempfail"
when = 'rcpt == "slow@example.net"'
mode = "observe"

[[handler]]
type = "header"
name = "note"
when = 'result("scan").failed || result("greylist").verdict != ""'
add = [{ name = "X-Found", value = '{{result("early").failed}} {{result("scan").failed}} {{result("greylist").verdict}} {{tls_version}} {{macro("j")}}' }]
`

// failsSettings are those of a type whose handlers panic.
type failsSettings struct {
	At string `toml:"at" enum:"connect,mail" doc:"When to panic."`
}

func (*failsSettings) Check(func(key, text string)) {}

var failsType = Type{
	Name: "fails", Doc: "Is for tests.", New: func() Settings { return &failsSettings{"mail"} },
	Build: build(func(c *failsSettings, _ *Env) (handlers.Handler, error) {
		if c.At == "connect" {
			return handlers.On(func(*handlers.Session, *protocol.Connect) handlers.Reply { panic("broken") }), nil
		}
		return handlers.On(func(_ *handlers.Session, m *protocol.MailFrom) handlers.Reply {
			if strings.Contains(string(m.Addr), "fail") {
				panic("broken")
			}
			return handlers.Continue
		}), nil
	}),
}

// connectFrom is a client at an address.
func connectFrom(addr string) *protocol.Connect {
	ip := netip.MustParseAddr(addr)
	family := protocol.FamilyInet
	if ip.Is6() {
		family = protocol.FamilyInet6
	}
	return &protocol.Connect{Host: protocol.View("client.example"), Addr: protocol.Addr{Family: family, IP: ip, Port: 4711}}
}

// TestExpressions has handlers asked where their expressions hold, and told what others
// found out, also where that is hidden by a policy or only observed.
func TestExpressions(t *testing.T) {
	g := opened(t, parseWith(t, expressionsFile, failsType), Env{})
	for _, tt := range []struct{ client, from, to, want string }{
		{"192.0.2.7", "a@example.com", "b@example.net", "accept"},
		{"2001:db8::1", "A@example.com", "b@example.net", "accept"},
		{"2001:db8::2", "a@example.com", "b@example.net", "continue"},
		{"192.0.2.7", "fail@example.com", "b@example.net", "continue true true  TLSv1.3 mx"},
		{"198.51.100.1", "c@example.com", "slow@example.net", "continue true false tempfail TLSv1.3 mx"},
	} {
		s := handlertest.New(t, g.Handler)
		s.Macros(protocol.CodeConnect, "j", "mx")
		s.Do(connectFrom(tt.client))
		s.Macros(protocol.CodeHelo, "tls_version", "TLSv1.3")
		s.Do(&protocol.Helo{Name: protocol.View("mx")})
		out := s.Do(&protocol.MailFrom{Addr: protocol.View("<" + tt.from + ">")})
		got := out.Status.String()
		if out.Status == protocol.StatusContinue {
			s.Do(&protocol.RcptTo{Addr: protocol.View("<" + tt.to + ">")})
			out = s.EndOfMessage()
			for _, c := range out.Changes {
				got += " " + string(c.Value)
			}
		}
		if got != tt.want {
			t.Errorf("%+v: %q, %v", tt, got, s.Failures())
		}
	}
}

// TestMacros checks that the MTA is asked for the macros of all expressions, and for the
// queue id where it would otherwise leave that out.
func TestMacros(t *testing.T) {
	g, err := parseWith(t, expressionsFile+`
[[handler]]
type = "reply"
name = "login"
stage = "rcpt"
verdict = "reject"
when = '!authenticated && macro("j") != "mx"'
text = "{{macro('rcpt_host')}}"
`, failsType).Build(Env{})
	if err != nil {
		t.Fatal(err)
	}
	want := protocol.MacroLists{
		protocol.StageConnect: {"j"}, protocol.StageHelo: {"tls_version"}, protocol.StageMail: {"auth_authen", "i"},
		protocol.StageRcpt: {"rcpt_host", "i"},
	}
	for stage, list := range g.Macros {
		if !slices.Equal(list, want[stage]) || (list == nil) != (want[stage] == nil) {
			t.Errorf("stage %d: %q, want %q", stage, list, want[stage])
		}
	}
	if g, err = parseWith(t, "").Build(Env{}); err != nil || !g.Macros.Empty() {
		t.Errorf("without expressions %v, %v", g.Macros, err)
	}
}

// TestText checks that a type has only the texts that its settings have told.
func TestText(t *testing.T) {
	var env Env
	if _, err := env.Text("{{helo}}"); err == nil || !strings.Contains(err.Error(), "{{helo}}") {
		t.Error(err)
	}
}

// TestUnbuilt checks that a handler with an expression that cannot be made is a mistake
// of the file.
func TestUnbuilt(t *testing.T) {
	o := options()
	o.Types = append(Types(), probeType(new([]string)))
	_, err := Parse([]File{{"f", []byte("[[handler]]\ntype = \"probe\"\nfail = true\nwhen = \"true\"")}}, o)
	if err == nil || err.Error() != "f:1:3: `handler[0]`: no luck" {
		t.Error(err)
	}
}

// TestClosedAgain checks that what a handler holds that was made for its events alone is
// closed.
func TestClosedAgain(t *testing.T) {
	var closed []string
	parseWith(t, "[[handler]]\ntype = \"probe\"\nwhen = \"sender == ''\"", probeType(&closed))
	if len(closed) != 1 {
		t.Errorf("closed %v", closed)
	}
}

// TestOrigin finds the places of characters of a string, however it is written.
func TestOrigin(t *testing.T) {
	for _, tt := range []struct{ value, find, want string }{
		{`'a § b'`, "§", "1:4"},
		{`"a § b"`, "§", "1:4"},
		{`"\t\u00e4\\\U0001F600§"`, "§", "1:22"},
		{`"\x41\e§"`, "§", "1:8"},
		{"\"\"\"\na\n  §\"\"\"", "§", "3:3"},
		{"'''\r\na\n§'''", "§", "3:1"},
		{"\"\"\"a\\\n   \n  §\"\"\"", "§", "3:3"},
		{`"""a " "" §"""`, "§", "1:11"},
		{`"$$ ${PORT} ${X:-$} §"`, "§", "1:21"},
		{`"${X:-a§b} c"`, "§", "1:2"},
		{`"ab"`, "", "1:4"},
		{`""`, "", "1:2"},
		{`""""""`, "", "1:4"},
	} {
		tree, mistake := parse("f", []byte("k="+tt.value))
		if mistake != nil {
			t.Fatal(mistake)
		}
		n, env := tree.fields["k"], options().Env
		text, err := expand(n.text, env)
		if err != nil {
			t.Fatal(err)
		}
		at := len(text)
		if tt.find != "" {
			at = strings.Index(text, tt.find)
		}
		p := n.origin(at, env)
		if p.Line == 1 {
			p.Column -= len("k=")
		}
		if got := fmt.Sprintf("%d:%d", p.Line, p.Column); got != tt.want {
			t.Errorf("%s: %q is at %s, want %s", tt.value, tt.find, got, tt.want)
		}
	}
}

// FuzzOrigin checks that strings are read as TOML has them, so that the place of each of
// their bytes is within them, and is known.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{`"a\u00e4\n"`, "'''\n'a''''", "\"\"\"\\\n  a\\ \r\n\n b\"\"\"", `"\x41\e${A:-b}$$"`, "\"\"\"\r\na\"\"\"\"\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		tree, mistake := parse("f", []byte("k="+value))
		if mistake != nil || tree.fields["k"].kind != kindText {
			return
		}
		n := tree.fields["k"]
		text, places := unquote(n.raw)
		if text != n.text || len(places) != len(text)+1 || !slices.IsSorted(places) {
			t.Fatalf("%q is read as %q, and is %q: %v", n.raw, text, n.text, places)
		}
		env := func(string) (string, bool) { return "value", true }
		for at := range len(text) + 1 {
			p := n.origin(at, env)
			if p.Line < n.at.Line || p.Line == n.at.Line && p.Column < n.at.Column || p.Line > n.at.Line+strings.Count(n.raw, "\n") {
				t.Errorf("byte %d of %q is at %v", at, n.raw, p)
			}
		}
	})
}
