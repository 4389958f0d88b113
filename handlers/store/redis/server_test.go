package redis_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"millstream/handlers/handlertest"
	"millstream/handlers/store"
	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
)

// patience is how long anything may take that has to happen.
const patience = redistest.Patience

var hour = store.Window{Length: 1000 * time.Hour} // no test runs into the end of one

// A server is a redis-server of this test.
type server struct {
	*redistest.Server
	tb testing.TB
}

// start starts a redis-server with a directory and a socket of its own. It ends with
// the test.
func start(tb testing.TB, args ...string) *server {
	tb.Helper()
	return &server{redistest.Start(tb, args...), tb}
}

// admin connects as the administrator would. A password is ignored where there is none.
func (s *server) admin(password string) rueidis.Client {
	s.tb.Helper()
	if !s.Has("--requirepass") {
		password = ""
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.Socket}, ForceSingleClient: true, DisableCache: true, Password: password,
		DialCtxFn: func(ctx context.Context, path string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return d.DialContext(ctx, "unix", path)
		},
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return client
}

// do gives a command as the administrator would.
func (s *server) do(args ...string) rueidis.RedisMessage {
	s.tb.Helper()
	client := s.admin("")
	defer client.Close()
	answer, err := client.Do(s.tb.Context(), client.B().Arbitrary(args...).Build()).ToMessage()
	if err != nil && !rueidis.IsRedisNil(err) {
		s.tb.Fatalf("%v: %v", args, err)
	}
	return answer
}

// keys returns the keys of the server.
func (s *server) keys(pattern string) []string {
	s.tb.Helper()
	message := s.do("KEYS", pattern)
	keys, err := message.AsStrSlice()
	if err != nil {
		s.tb.Fatal(err)
	}
	return keys
}

// A journal is the log of a store.
type journal struct{ handlertest.Log }

// has reports whether a text was logged so many times.
func (j *journal) has(n int, text string) bool { return strings.Count(j.String(), text) == n }

// What the log says.
const (
	away = "redis does not answer"
	back = "redis answers again"
)

// open opens a store that is closed when the test ends, and looks that nothing of it
// is left then.
func open(tb testing.TB, cfg redis.Config) (*redis.Store, *journal) {
	tb.Helper()
	leaks := goleak.IgnoreCurrent()
	log := &journal{}
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	s, err := redis.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
		// The client of a cluster has a goroutine that sleeps for a second.
		redistest.Eventually(tb, "no goroutine is left", func() bool { return goleak.Find(leaks) == nil })
	})
	return s, log
}

// share opens a store that waits long enough for a server on a busy machine.
func (s *server) share(cfg redis.Config) (*redis.Store, *journal) {
	s.tb.Helper()
	if cfg.Addresses == nil {
		cfg.Addresses = []string{s.Socket}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	return open(s.tb, cfg)
}

// count returns what a store knows of a counter.
func count(s store.Store, key string) int64 { return s.Incr(context.Background(), key, 0, hour).N }

// key returns the i-th of many keys.
func key(i int) string { return fmt.Sprint("key", i) }
