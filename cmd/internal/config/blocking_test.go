package config

import (
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/resolver/dnstest"
	"millstream/protocol"
)

// A plainHandler is a handler of a type as a file may have it, and where it may wait for
// something outside the program: with each store, the events that it leaves the event loop
// for.
type plainHandler struct {
	keys   string
	memory []handlers.Kind
	redis  []handlers.Kind
}

// plainHandlers returns one of each type. DIR stands for a directory.
func plainHandlers() map[string]plainHandler {
	archive := []handlers.Kind{handlers.KindEndOfMessage, handlers.KindMessageProcessed}
	dnsbl := []handlers.Kind{handlers.KindEnvelopeFrom, handlers.KindEndOfMessage}
	return map[string]plainHandler{
		"access":  {keys: "[[handler.rule]]\nlook_up = \"sender\"\nentries = [\"bad@example.com\"]\naction = \"reject\"\n"},
		"archive": {keys: "maildir = \"DIR\"\n", memory: archive, redis: archive},
		"dnsbl": {
			keys:   "zones = [{ zone = \"ip.test\" }, { zone = \"uri.test\", lookup = [\"uri\"] }]\nactions = [{ score = 9, do = \"reject\" }]\n",
			memory: dnsbl, redis: dnsbl,
		},
		"greylist":  {keys: "", redis: []handlers.Kind{handlers.KindEnvelopeRecipient}},
		"header":    {keys: "add = [{ name = \"X-A\", value = \"{{sender}}\" }]\n"},
		"ratelimit": {keys: "[[handler.limit]]\nname = \"sender\"\nkey = [\"sender\"]\nwhat = \"messages\"\nlimit = 100\nwindow = \"1h\"\n"},
		"reply":     {keys: "stage = \"rcpt\"\nverdict = \"reject\"\nwhen = 'sender == \"bad@example.com\"'\n"},
		"rule":      {keys: "[[handler.rule]]\nwhen = 'header(\"Subject\") == \"x\"'\nadd_headers = [\"X-Rule: {{rcpt_count}}\"]\n"},
		"subject":   {keys: "tag = \"[external]\"\n"},
	}
}

// plainFile returns a file with one handler of a type.
func plainFile(t *testing.T, kind, more string) string {
	t.Helper()
	h, ok := plainHandlers()[kind]
	if !ok {
		t.Fatalf("say of the type %s whether it may wait, and for what", kind)
	}
	return more + "[[handler]]\ntype = \"" + kind + "\"\n" + strings.ReplaceAll(h.keys, "DIR", t.TempDir())
}

// TestBlockingTypes checks of each type that it leaves the event loop for what may wait for
// a disk, the DNS or a store on another machine, and for nothing else.
func TestBlockingTypes(t *testing.T) {
	nameServer := dnstest.Serve(t, func(query []byte) [][]byte { // there is no name at all
		query[2], query[3] = query[2]|0x80, 0x83
		return [][]byte{query}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	_ = l.Close()
	dns := "[dns]\nservers = [\"" + nameServer.Addr + "\"]\n"
	for _, kind := range Types() {
		for store, table := range map[string]string{
			storeMemory: "", storeRedis: "[store]\ntype = \"redis\"\nurls = [\"redis://" + gone + "\"]\n",
		} {
			t.Run(kind.Name+"/"+store, func(t *testing.T) {
				text := plainFile(t, kind.Name, dns+table)
				want := plainHandlers()[kind.Name].memory
				if store == storeRedis {
					want = plainHandlers()[kind.Name].redis
				}
				if got := leavesLoop(t, text); !slices.Equal(got, want) {
					t.Errorf("it leaves the event loop at %v, want %v", got, want)
				}
			})
		}
	}
}

// leavesLoop sends a message through the handlers of a file, and returns the events whose
// answers were pending.
func leavesLoop(t *testing.T, text string) (left []handlers.Kind) {
	t.Helper()
	g := opened(t, parseWith(t, text), quietEnv)
	note := handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		r := next.Handle(s, ev)
		if r.Status() == protocol.StatusProgress {
			left = append(left, handlers.KindOf(ev))
		}
		return r
	})
	s := handlertest.New(t, note(g.Handler))
	s.Do(connectFrom("198.51.100.7"))
	s.Do(&protocol.Helo{Name: protocol.View("mx.example.com")})
	s.Send(handlertest.Mail{
		From: "<a@example.com>", To: []string{"<b@example.net>"},
		Headers: []handlers.Field{{Name: "Subject", Value: "hello"}}, Body: "see http://www.example.org/\r\n",
	})
	s.Close()
	return left
}

// TestUnusedTypes checks that types which no handler has cost nothing: none of their
// functions is called, nothing runs or is open for them, and the MTA is asked for no more.
func TestUnusedTypes(t *testing.T) {
	text := plainFile(t, "header", "")
	for name, types := range map[string][]Type{"all": Types(), "one": {headerType(t)}} {
		t.Run(name, func(t *testing.T) {
			before, files := goleak.IgnoreCurrent(), openFiles(t)
			called := make(map[string]bool)
			for i := range types {
				watchType(t, &types[i], called)
			}
			o := options()
			o.Types = types
			c, err := Parse([]File{{"test.toml", []byte(text)}}, o)
			if err != nil {
				t.Fatal(err)
			}
			g := opened(t, c, quietEnv)
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
			if now := openFiles(t); now != files {
				t.Errorf("%d files are open, %d before", now, files)
			}
			if got := slices.Sorted(maps.Keys(called)); !slices.Equal(got, []string{"header is built", "header is set"}) {
				t.Errorf("called were %q", got)
			}
			want := handlers.Wants{
				Events:  handlers.Of(handlers.KindEnvelopeFrom, handlers.KindEndOfMessage),
				Replies: handlers.Of(handlers.KindEndOfMessage),
			}
			if got := g.Handler.Wants(); got != want {
				t.Errorf("the MTA is asked for %v, want %v", got, want)
			}
			for stage, list := range g.Macros {
				if list != nil {
					t.Errorf("at %v the MTA is asked for %v", protocol.Stage(stage), list)
				}
			}
		})
	}
}

// headerType returns the type header.
func headerType(t *testing.T) Type {
	t.Helper()
	types := Types()
	return types[slices.IndexFunc(types, func(kind Type) bool { return kind.Name == "header" })]
}

// watchType notes which functions of a type are called.
func watchType(t *testing.T, kind *Type, called map[string]bool) {
	t.Helper()
	settings, builds := kind.New, kind.Build
	kind.New = func() Settings {
		called[kind.Name+" is set"] = true
		return settings()
	}
	kind.Build = func(s Settings, env *Env) (handlers.Handler, error) {
		called[kind.Name+" is built"] = true
		h, err := builds(s, env)
		if env.resolver != nil {
			t.Error("there is a resolver")
		}
		return h, err
	}
}

// openFiles returns how many files and sockets are open.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}
