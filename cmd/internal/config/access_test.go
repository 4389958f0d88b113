package config

import (
	"strings"
	"testing"

	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// accessFile has rules that use lists with a name, a file of their own, and entries.
const accessFile = `
[networks]
inside = ["192.0.2.0/24"]
[lists]
bad = { entries = ["bad@example.com REJECT 550 5.7.1 known by name"], kind = "addresses" }
[[handler]]
type = "access"
name = "first"
[[handler.rule]]
look_up = "client"
lists = ["inside"]
action = "accept"
[[handler]]
type = "access"
name = "second"
when = 'sender != "spared@example.org"'
[[handler.rule]]
look_up = "sender"
lists = ["bad"]
files = ["DIR/senders"]
entries = ["listed@"]
action = "reject"
text = "known by entry"
`

// TestAccess checks that rules ask the lists that the configuration names.
func TestAccess(t *testing.T) {
	_, text := listFiles(t, accessFile, map[string]string{"senders": "example.org REJECT known by file\n"})
	g := opened(t, parseWith(t, text), quietEnv)
	for _, tt := range []struct{ addr, from, want string }{
		{"192.0.2.1", "bad@example.com", "accept"},
		{"198.51.100.1", "bad@example.com", "550 5.7.1 known by name"},
		{"198.51.100.1", "a@mx.example.org", "554 5.7.1 known by file"},
		{"198.51.100.1", "listed@example.net", "554 5.7.1 known by entry"},
		{"198.51.100.1", "spared@example.org", "continue"},
		{"198.51.100.1", "good@example.com", "continue"},
	} {
		s := handlertest.New(t, g.Handler)
		out := s.Do(connectFrom(tt.addr))
		if out.Status == protocol.StatusContinue {
			out = s.Do(&protocol.MailFrom{Addr: protocol.View("<" + tt.from + ">")})
		}
		if got := out.Status.String() + " " + out.Text; !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
