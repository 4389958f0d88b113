package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

// listsFile has expressions that ask networks and lists, some of which are in a directory.
const listsFile = `
[networks]
inside = { file = "DIR/inside" }
office = { entries = ["198.51.100.9/24", "::ffff:203.0.113.0/120"] }
[lists]
partners = { file = "DIR/partners", kind = "addresses" }
vip = ["Boss@example.com  the boss", "root"]
hosts = { entries = [".example.net"], kind = "domains" }
[[handler]]
type = "reply"
stage = "mail"
verdict = "reject"
text = "{{in_list('vip', sender) ? 'vip' : 'other'}}"
when = 'in_network("inside") || in_network("office") || in_list("partners", sender) || in_list("vip", sender) || in_list("hosts", sender_domain)'
`

// listFiles writes the files of lists, and returns the text that names them.
func listFiles(t *testing.T, text string, files map[string]string) (dir, filled string) {
	t.Helper()
	dir = t.TempDir()
	for name, lines := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, strings.ReplaceAll(text, "DIR", dir)
}

// replyTo returns what a client at an address is told after MAIL.
func replyTo(t *testing.T, g *Generation, addr, from string) string {
	t.Helper()
	s := handlertest.New(t, g.Handler)
	s.Do(connectFrom(addr))
	out := s.Do(&protocol.MailFrom{Addr: protocol.View("<" + from + ">")})
	return strings.TrimSpace(out.Status.String() + " " + out.Text)
}

// TestLists has expressions ask lists, whether they are in the file or not.
func TestLists(t *testing.T) {
	_, text := listFiles(t, listsFile, map[string]string{"inside": "192.0.2.0/24\n", "partners": "example.org note\n"})
	c := parseWith(t, text)
	g := opened(t, c, quietEnv)
	for _, tt := range []struct{ addr, from, want string }{
		{"192.0.2.7", "a@b.example", "550 other"},
		{"198.51.100.1", "a@b.example", "550 other"},
		{"203.0.113.1", "a@b.example", "550 other"},
		{"2001:db8::1", "a@mx.example.org", "550 other"},
		{"2001:db8::1", "boss@EXAMPLE.com", "550 vip"},
		{"2001:db8::1", "a@mx.example.net", "550 other"},
		{"2001:db8::1", "a@example.net", "continue"},
		{"2001:db8::1", "a@b.example", "continue"},
	} {
		if got := replyTo(t, g, tt.addr, tt.from); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	dump := string(c.Dump())
	for _, want := range []string{
		"'office' = ['198.51.100.9/24', '::ffff:203.0.113.0/120']\n", "'vip' = ['Boss@example.com  the boss', 'root']\n",
		"'hosts' = { entries = ['.example.net'], kind = 'domains' }\n", "partners', kind = 'addresses' }\n",
	} {
		if !strings.Contains(dump, want) {
			t.Errorf("no %s in\n%s", want, dump)
		}
	}
}

// TestListsOfGenerations changes a file while two generations serve: both do as it says,
// and one goes on when the other is closed.
func TestListsOfGenerations(t *testing.T) {
	dir, text := listFiles(t, listsFile, map[string]string{"inside": "192.0.2.0/24\n", "partners": ""})
	synctest.Test(t, func(t *testing.T) {
		c := parseWith(t, text)
		var both [2]*Generation
		for i := range both {
			var err error
			if both[i], err = c.Build(Env{Log: slog.New(slog.DiscardHandler)}); err != nil {
				t.Fatal(err)
			}
			if err := both[i].Open(nil); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = both[i].Close() }()
		}
		change := func(lines string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, "partners"), []byte(lines), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		change("new@b.example\n")
		for i, g := range both {
			if got := replyTo(t, g, "2001:db8::1", "new@b.example"); !strings.Contains(got, "other") {
				t.Errorf("generation %d: %s", i, got)
			}
		}
		if err := both[0].Close(); err != nil {
			t.Error(err)
		}
		change("newer@b.example\n")
		if got := replyTo(t, both[1], "2001:db8::1", "newer@b.example"); !strings.Contains(got, "other") {
			t.Errorf("after the other was closed: %s", got)
		}
	})
}

// TestListFiles checks that mistakes in the files of lists are told, and that what is only
// checked leaves nothing behind.
func TestListFiles(t *testing.T) {
	dir, text := listFiles(t, listsFile, map[string]string{"inside": "192.0.2.0/24\n192.0.2.300\n"})
	g, err := parseWith(t, text).Build(Env{})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"Open": g.Open(nil), "Check": g.Check()} {
		if err == nil || !strings.Contains(err.Error(), dir+`/inside:2: "192.0.2.300" is no network`) ||
			!strings.Contains(err.Error(), dir+"/partners: no such file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, text = listFiles(t, listsFile, map[string]string{"inside": "", "partners": ""})
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		g, err := parseWith(t, text).Build(Env{})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Check(); err != nil {
			t.Error(err)
		}
	})
}

// TestNames checks that a type which compiles expressions in its own way has the names of
// its generation, and of the handlers before it.
func TestNames(t *testing.T) {
	var names *when.Names
	own := Type{
		Name: "own", Doc: "Is for tests.", New: func() Settings { return new(probeSettings) },
		Build: build(func(_ *probeSettings, env *Env) (handlers.Handler, error) {
			names = env.Names
			return handlers.Need(), nil
		}),
	}
	opened(t, parseWith(t, `
[lists]
vip = ["a"]
[[handler]]
type = "reply"
stage = "mail"
verdict = "continue"
[[handler]]
type = "own"
when = 'result("reply").verdict == "" && in_list("vip", sender)'
`, own), quietEnv)
	if !names.Lists["vip"].Has("A") || names.Results["reply"] != handlers.KindEnvelopeFrom {
		t.Errorf("names %+v", names)
	}
}
