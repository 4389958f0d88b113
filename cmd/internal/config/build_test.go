package config

import (
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/policy"
	"millstream/protocol"
)

// probeSettings are those of a type for tests.
type probeSettings struct {
	Fail bool `toml:"fail" doc:"Fail to build."`
}

func (*probeSettings) Check(func(key, text string)) {}

// probeType is a type whose handlers say when they are closed.
func probeType(closed *[]string) Type {
	return Type{
		Name: "probe", Doc: "Is for tests.", New: func() Settings { return new(probeSettings) },
		Build: build(func(c *probeSettings, env *Env) (handlers.Handler, error) {
			name := string(rune('a' + len(env.closers)))
			if c.Fail {
				return nil, errors.New("no luck")
			}
			env.OnClose(func() error { *closed = append(*closed, name); return nil })
			return handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply { panic("broken") }), nil
		}),
	}
}

func parseWith(t *testing.T, text string, types ...Type) *Config {
	t.Helper()
	o := options()
	o.Types = append(Types(), types...)
	c, err := Parse([]File{{"test.toml", []byte(text)}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// quietEnv logs nothing.
var quietEnv = Env{Log: slog.New(slog.DiscardHandler)}

// opened returns the generation of a configuration, open until the test ends.
func opened(tb testing.TB, c *Config, env Env) *Generation {
	tb.Helper()
	g, err := c.Build(env)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := g.Open(nil); err != nil {
		tb.Fatal(err)
	}
	return g
}

// TestGeneration checks that what handlers hold is closed once, the last first, also when
// not all of them can be built.
func TestGeneration(t *testing.T) {
	var closed []string
	c := parseWith(t, "[[handler]]\nname = \"x\"\ntype = \"probe\"\n[[handler]]\ntype = \"probe\"\n", probeType(&closed))
	g, err := c.Build(Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(g.Close(), g.Close()); err != nil || !slices.Equal(closed, []string{"b", "a"}) {
		t.Errorf("closed %v, %v", closed, err)
	}
	closed = nil
	c = parseWith(t, "[[handler]]\nname = \"x\"\ntype = \"probe\"\n[[handler]]\ntype = \"probe\"\nfail = true\n", probeType(&closed))
	if _, err := c.Build(Env{}); err == nil || !strings.Contains(err.Error(), "handler probe: no luck") || len(closed) != 1 {
		t.Errorf("closed %v, %v", closed, err)
	}
}

// TestPolicies checks that the keys of a handler do what they say.
func TestPolicies(t *testing.T) {
	var found []policy.Finding
	for _, tt := range []struct {
		keys string
		want protocol.Status
		by   string
	}{
		{"", protocol.StatusTempFail, "probe"},
		{"on_error = \"reject\"\nname = \"p\"", protocol.StatusReject, "p"},
		{"on_error = \"continue\"", protocol.StatusContinue, ""},
		{"mode = \"observe\"", protocol.StatusContinue, ""},
		{"when = \"sender != 'a@b'\"", protocol.StatusContinue, ""},
	} {
		found = nil
		g, err := parseWith(t, "[[handler]]\ntype = \"probe\"\n"+tt.keys, probeType(new([]string))).Build(Env{
			Observed: func(_ string, _ *handlers.Session, f policy.Finding) { found = append(found, f) },
		})
		if err != nil {
			t.Fatal(err)
		}
		s := handlertest.New(t, g.Handler)
		out := s.Do(&protocol.MailFrom{Addr: protocol.View("<a@b>")})
		if out.Status != tt.want || (len(found) > 0) != strings.Contains(tt.keys, "observe") {
			t.Errorf("%q: %v, %d findings", tt.keys, out.Status, len(found))
		}
		s.Abort()
		if r := s.Results(); len(r) > 0 && r[0].By != tt.by {
			t.Errorf("%q: by %q, want %q", tt.keys, r[0].By, tt.by)
		}
	}
}

// TestTimeouts has a handler take too long in a whole session: that handler has its
// answer when its own time is over, and the next one decides. A condition changes nothing.
func TestTimeouts(t *testing.T) {
	slow := Type{
		Name: "slow", Doc: "Waits.", New: func() Settings { return new(probeSettings) },
		Build: build(func(*probeSettings, *Env) (handlers.Handler, error) {
			return handlers.Go(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
				<-s.Context().Done()
				return handlers.Accept
			}), nil
		}),
	}
	for _, when := range []string{"", `when = 'sender == "a@b"'`} {
		timeOut(t, parseWith(t, `
[[handler]]
type = "slow"
timeout = "3s"
on_timeout = "continue"
`+when+`
[[handler]]
type = "reply"
stage = "mail"
verdict = "reject"
text = "no"
`, slow))
	}
}

// timeOut has the first handler of c take too long, which has three seconds.
func timeOut(t *testing.T, c *Config) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, err := c.Build(Env{})
		if err != nil {
			t.Fatal(err)
		}
		cfg := c.Server().Sessions
		cfg.Log = slog.New(slog.DiscardHandler)
		o, err := actors.NewOffline(cfg, handlers.Shared(g.Handler))
		if err != nil {
			t.Fatal(err)
		}
		defer o.HangUp(nil)
		feed := func(cmd interface{ Append([]byte) []byte }) {
			if err := o.Feed(cmd.Append(nil)); err != nil {
				t.Fatal(err)
			}
		}
		feed(&protocol.Negotiate{Offer: protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}})
		o.Output()
		begun := time.Now()
		feed(&protocol.MailFrom{Addr: protocol.View("<a@b>")})
		o.Wait()
		if out := string(o.Output()); !strings.Contains(out, "550 no") || time.Since(begun) != 3*time.Second {
			t.Errorf("%q after %v", out, time.Since(begun))
		}
	})
}

// TestTypes checks the tables from which everything follows: each setting has an
// explanation, and none of a type has the key of a handler.
func TestTypes(t *testing.T) {
	documented := func(v any) {
		var look func(reflect.Type)
		look = func(rt reflect.Type) {
			for _, f := range fieldsOf(rt) {
				ft := rt.Field(f.index).Type
				if !strings.HasSuffix(f.doc, ".") {
					t.Errorf("%v: %s has no explanation", rt, f.name)
				}
				if ft.Kind() == reflect.Slice {
					ft = ft.Elem()
				}
				if ft.Kind() == reflect.Struct {
					look(ft)
				}
			}
		}
		look(reflect.TypeOf(v).Elem())
	}
	documented(new(Config))
	common := namesOf(fieldsOf(reflect.TypeFor[Handler]()))
	for _, kind := range Types() {
		documented(kind.New())
		if !strings.HasSuffix(kind.Doc, ".") || !isName(kind.Name) {
			t.Errorf("%s has no explanation or no name", kind.Name)
		}
		for _, name := range namesOf(fieldsOf(reflect.TypeOf(kind.New()).Elem())) {
			if slices.Contains(common, name) {
				t.Errorf("%s: %s is a key of every handler", kind.Name, name)
			}
		}
	}
}

// fieldOf returns a setting of a struct.
func fieldOf(t *testing.T, v any, name string) field {
	t.Helper()
	fields := fieldsOf(reflect.TypeOf(v))
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 {
		t.Fatalf("no field %s", name)
	}
	return fields[i]
}
