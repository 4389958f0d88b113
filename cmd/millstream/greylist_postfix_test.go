package main

import (
	"bytes"
	netmail "net/mail"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"millstream/bench/e2e"
	"millstream/handlers/store/redistest"
)

// greyDelay is that of greyFile.
const greyDelay = time.Second

// greyFile has a greylist for clients of the loopback interface, but some. The store
// waits for as long as a busy machine may take.
const greyFile = `
[networks]
met = ["127.9.0.0/16"]
[[handler]]
type = "greylist"
delay = "1s"
skip_networks = ["met"]
header = "X-Greylist"
text = "new here: come again in {{wait}} s"
[store]
`

// greyDeferred is what who has to wait is told.
var greyDeferred = regexp.MustCompile(`^450 4\.7\.1 new here: come again in [01] s$`)

// TestPostfixGreylist has a client come through a real Postfix until a greylist knows it,
// which it does after a restart too.
func TestPostfixGreylist(t *testing.T) {
	for name, table := range map[string]func(*testing.T) string{
		"memory": func(t *testing.T) string {
			return "type = \"memory\"\npath = '" + filepath.Join(t.TempDir(), "store.db") + "'\n"
		},
		"redis": func(t *testing.T) string {
			return "type = \"redis\"\ntimeout = \"10s\"\nurls = [\"unix://" + redistest.Start(t).Socket + "\"]\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			noVariables(t)
			f := serveFlags{file: configFile(t, greyFile+table(t))}
			postfix, s := behindPostfix(t, f, nil)
			g := greyClient{t, postfix}

			g.passes("127.9.0.1", "met@from.test", "met")
			g.waits("pending@from.test")
			begun := time.Now().Truncate(time.Millisecond) // as in the store
			g.waits("from@from.test")
			g.comesAgain("from@from.test", "first")
			if waited := time.Since(begun); waited < greyDelay {
				t.Errorf("it was taken after %v", waited)
			}
			g.passes("127.0.0.1", "from@from.test", "second")
			g.passes("127.0.0.200", "FROM@from.test", "network")

			s.stop(t)
			f.sockets, f.mode = []string{s.socket}, "0666"
			s = startServe(t, f, nil)
			g.passes("127.0.0.1", "from@from.test", "restarted")
			g.passes("127.0.0.1", "pending@from.test", "pending")
			g.waits("new@from.test")
			s.stop(t)

			for name, delayed := range map[string]bool{"met": false, "first": true, "second": false, "network": false, "restarted": false, "pending": true} {
				m, err := netmail.ReadMessage(bytes.NewReader(postfix.Wait(t, name)))
				if err != nil {
					t.Fatal(err)
				}
				if text := m.Header.Get("X-Greylist"); greyDelayed.MatchString(text) != delayed || !delayed && text != "" {
					t.Errorf("%s came with %q", name, text)
				}
			}
			postfix.WaitAll(t, "", 6)
		})
	}
}

// greyDelayed is what the header says that the filter adds.
var greyDelayed = regexp.MustCompile(`^delayed [1-9][0-9]* seconds by greylisting$`)

// A greyClient sends letters.
type greyClient struct {
	t       *testing.T
	postfix *e2e.Postfix
}

func (g greyClient) send(client, from, name string) (replies []string, taken bool) {
	return g.postfix.Send(e2e.Letter{Client: client, From: from, To: []string{"to@to.test"}, Name: name})
}

// passes sends a letter that is taken at once.
func (g greyClient) passes(client, from, name string) {
	g.t.Helper()
	if got, taken := g.send(client, from, name); !taken {
		g.t.Errorf("%s: %q", name, got)
	}
}

// waits sends a letter of somebody new.
func (g greyClient) waits(from string) {
	g.t.Helper()
	if got, taken := g.send("", from, "none"); taken || !greyDeferred.MatchString(got[0]) {
		g.t.Errorf("%s: %q", from, got)
	}
}

// comesAgain sends a letter until it is taken. Until then each try is told to wait.
func (g greyClient) comesAgain(from, name string) {
	g.t.Helper()
	waitFor(g.t, name+" is taken", func() bool {
		got, taken := g.send("", from, name)
		if !taken && !greyDeferred.MatchString(got[0]) {
			g.t.Fatalf("%s: %q", name, got)
		}
		return taken
	})
}
