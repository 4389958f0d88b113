package access_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/access"
	"millstream/handlers/handlertest"
	"millstream/handlers/lists"
	"millstream/protocol"
)

// write makes a file with some lines, and returns its path.
func write(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// filter returns the filter of some rules, ready to use.
func filter(t testing.TB, rules ...access.Rule) handlers.Handler {
	t.Helper()
	set := lists.NewSet(lists.Config{Interval: -1})
	h, err := access.New(&access.Settings{Rules: rules}, set)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return h
}

// play does what a script says, a step at a time, and returns what each came to:
//
//	connect 192.0.2.1 host, helo name, mail <a@b>, rcpt <c@d>, eom, abort
//
// Steps are separated by ";".
func play(t testing.TB, s *handlertest.Session, script string) []string {
	t.Helper()
	var answers []string
	for step := range strings.SplitSeq(script, ";") {
		words := append(strings.Fields(step), "", "")
		view := protocol.View(words[1])
		var ev handlers.Event
		switch words[0] {
		case "connect":
			c := &protocol.Connect{Host: protocol.View(words[2]), Addr: protocol.Addr{Family: protocol.FamilyUnknown}}
			if ip, err := netip.ParseAddr(words[1]); err == nil {
				c.Addr = protocol.Addr{Family: protocol.FamilyInet, IP: ip}
				if ip.Is6() {
					c.Addr.Family = protocol.FamilyInet6
				}
			}
			ev = c
		case "helo":
			ev = &protocol.Helo{Name: view}
		case "mail":
			ev = &protocol.MailFrom{Addr: view}
		case "rcpt":
			ev = &protocol.RcptTo{Addr: view}
		case "eom":
			ev = &protocol.EndOfMessage{}
		case "abort":
			s.Abort()
			continue
		default:
			t.Fatalf("no step %q", step)
		}
		out := s.Do(ev)
		answer := words[0] + " " + out.Status.String()
		if out.Text != "" {
			answer += " " + strings.ReplaceAll(out.Text, "\r\n", "|")
		}
		for _, c := range out.Changes {
			answer += " " + c.Code.String() + " " + c.Name.String()
		}
		answers = append(answers, answer)
	}
	return answers
}
