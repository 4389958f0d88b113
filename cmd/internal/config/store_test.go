package config

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/store"
	"millstream/handlers/store/redis"
	"millstream/protocol"
)

// countsType is a type whose handlers refuse each sender with the number of its mails.
var countsType = Type{
	Name: "counts", Doc: "Is for tests.", New: func() Settings { return new(probeSettings) },
	Build: build(func(_ *probeSettings, env *Env) (handlers.Handler, error) {
		if asked, ok := env.Store.(interface{ MayWait() bool }); !ok || asked.MayWait() != (env.link.settings.Type == storeRedis) {
			return nil, errors.New("the store does not tell whether it may wait")
		}
		counters := env.Store
		return handlers.On(func(s *handlers.Session, m *protocol.MailFrom) handlers.Reply {
			total := counters.Incr(s.Context(), m.Addr.String(), 1, store.Window{Length: 1 << 60})
			return handlers.Reject.With(550, "", strconv.FormatInt(total.N, 10))
		}), nil
	}),
}

// counting opens the generation of a file that counts mails, after another one.
func counting(t *testing.T, table string, env Env, before *Generation) (*Generation, error) {
	t.Helper()
	g, err := parseWith(t, "[store]\n"+table+"\n[[handler]]\ntype = \"counts\"\n", countsType).Build(env)
	if err != nil {
		t.Fatal(err)
	}
	return g, g.Open(before)
}

// counted sends a mail, and checks its number.
func counted(t *testing.T, g *Generation, want int) {
	t.Helper()
	out := handlertest.New(t, g.Handler).Do(&protocol.MailFrom{Addr: protocol.View("<a@b.example>")})
	if got := strings.TrimPrefix(out.Text, "550 5.0.0 "); got != strconv.Itoa(want) {
		t.Errorf("mail %d is number %s", want, got)
	}
}

// TestStore checks that generations share a store that stays the same, until the last of
// them is closed, and that a file keeps it for the next server.
func TestStore(t *testing.T) {
	quiet := Env{Log: slog.New(slog.DiscardHandler)}
	open := func(table string, before *Generation) *Generation {
		t.Helper()
		g, err := counting(t, table, quiet, before)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	stop := func(g *Generation) {
		t.Helper()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	file := "path = '" + filepath.Join(t.TempDir(), "store") + "'"
	first := open(file, nil)
	counted(t, first, 1)
	second := open(file, first)
	counted(t, second, 2)
	counted(t, first, 3)
	stop(first)
	stop(first)
	counted(t, second, 4)

	if g, err := counting(t, file+"\nmax_entries = 2000", quiet, second); err == nil || !strings.Contains(err.Error(), "start anew to change [store]") {
		t.Errorf("one file with two settings: %v", err)
	} else {
		stop(g)
	}
	other := open("", second)
	counted(t, other, 1)
	stop(other)
	counted(t, second, 5)
	stop(second)

	third := open(file, nil)
	counted(t, third, 6)
	stop(third)
}

// TestStoreChecked checks that a file that is only checked opens no store.
func TestStoreChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "store")
	g, err := parseWith(t, "[store]\npath = '"+path+"'").Build(Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Check(); err != nil {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if _, err := counting(t, "path = '"+path+"'", Env{}, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("opened: %v", err)
	}
}

// warned is a log that tells the first warning.
type warned struct {
	slog.Handler
	text chan string
}

// Handle is [slog.Handler].
func (w warned) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		select {
		case w.text <- r.Message:
		default:
		}
	}
	return nil
}

// Enabled is [slog.Handler].
func (w warned) Enabled(context.Context, slog.Level) bool { return true }

// TestStoreAway serves with a Redis that is not there: mail goes on, and the log and a
// metric tell.
func TestStoreAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	reader := metric.NewManualReader()
	log := warned{slog.DiscardHandler, make(chan string, 1)}
	env := Env{Log: slog.New(log), Meter: metric.NewMeterProvider(metric.WithReader(reader))}
	g, err := counting(t, "type = 'redis'\nurls = ['redis://"+address+"/3']", env, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	counted(t, g, 1)
	if text := <-log.text; !strings.Contains(text, "redis does not answer") {
		t.Errorf("logged %q", text)
	}
	counted(t, g, 2)
	if counts := measured(t, reader); counts[redis.MetricFallback] != 1 {
		t.Errorf("measured %v", counts)
	}
}

// TestStoreServers checks what becomes of the addresses of servers.
func TestStoreServers(t *testing.T) {
	for text, want := range map[string]storeServer{
		"redis://a": {address: "a:6379"}, "redis://[::1]/2": {address: "[::1]:6379", database: 2},
		"rediss://a:6380/": {address: "a:6380", tls: true}, "unix:///run/redis": {address: "/run/redis"},
	} {
		if got, err := parseStoreURL(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	s := Store{Type: storeRedis, URLs: []string{"rediss://a", "rediss://b"}, User: "u", Password: "p", Prefix: "x:", MaxEntries: 7}
	cfg, err := s.redis()
	if err != nil || !cfg.Cluster || cfg.TLS == nil || cfg.Username != "u" || cfg.Password != "p" || cfg.Prefix != "x:" || cfg.MaxEntries != 7 ||
		strings.Join(cfg.Addresses, " ") != "a:6379 b:6379" {
		t.Errorf("%+v, %v", cfg, err)
	}
	s.Sentinel = "main"
	if cfg, err = s.redis(); err != nil || cfg.Cluster || cfg.Sentinel != "main" {
		t.Errorf("%+v, %v", cfg, err)
	}
}
