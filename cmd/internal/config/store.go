package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"reflect" //nolint:depguard // settings have lists in them, which == does not compare
	"strconv"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/handlers/store/redis"
)

// A storeLink is the store of a generation. Handlers have it from when they are made, and
// may use it once the generation is open.
type storeLink struct {
	store.Store // nil until then
	settings    Store
	log         *slog.Logger
	meter       metric.MeterProvider
	shared      *sharedStore // nil if it is not open
}

// A sharedStore is a store that is open, and how many generations use it.
type sharedStore struct {
	store.Store
	users atomic.Int32
}

// open opens the store, or shares that of the generation before if it is the same.
func (l *storeLink) open(before *Generation) error {
	if before != nil && before.store.shared != nil {
		old := before.store
		switch {
		case reflect.DeepEqual(l.settings, old.settings):
			old.shared.users.Add(1)
			l.Store, l.shared = old.shared.Store, old.shared
			return nil
		case l.settings.Path != "" && l.settings.Path == old.settings.Path:
			return fmt.Errorf("store: %s is in use with other settings: start anew to change [store]", l.settings.Path)
		}
	}
	s, err := l.settings.open(l.log, l.meter)
	if err != nil {
		return err
	}
	l.Store, l.shared = s, &sharedStore{Store: s}
	l.shared.users.Add(1)
	return nil
}

// MayWait reports whether calls may wait for a network, also before the store is open: it
// is asked while handlers are made.
func (l *storeLink) MayWait() bool { return l.settings.Type == storeRedis }

// Close is [store.Store]. It does nothing, as the store is not the handler's alone.
func (l *storeLink) Close() error { return nil }

// release closes the store if no other generation uses it.
func (l *storeLink) release() error {
	shared := l.shared
	if l.shared = nil; shared == nil || shared.users.Add(-1) > 0 {
		return nil
	}
	return shared.Close()
}

// open opens the store that s says. It does not wait for a server.
func (s *Store) open(log *slog.Logger, meter metric.MeterProvider) (store.Store, error) {
	if s.Type == storeMemory {
		return memory.Open(memory.Config{Path: s.Path, MaxEntries: s.MaxEntries, Log: log, Meter: meter})
	}
	cfg, err := s.redis()
	if err != nil {
		return nil, err
	}
	cfg.Log, cfg.Meter = log, meter
	return redis.Open(cfg)
}

// redis returns s as package redis has it. The error is that servers do not go together.
func (s *Store) redis() (redis.Config, error) {
	cfg := redis.Config{
		Cluster: len(s.URLs) > 1 && s.Sentinel == "", Sentinel: s.Sentinel,
		Username: s.User, Password: s.Password.Reveal(),
		Prefix: s.Prefix, Timeout: s.Timeout, MaxEntries: s.MaxEntries,
	}
	for i, text := range s.URLs {
		server, err := parseStoreURL(text)
		if err != nil {
			return cfg, err
		}
		if i > 0 && (server.tls != (cfg.TLS != nil) || server.database != cfg.Database) {
			return cfg, errors.New("they differ in more than the host: write the same kind and number of the database for all")
		}
		if cfg.Database = server.database; server.tls {
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		cfg.Addresses = append(cfg.Addresses, server.address)
	}
	if cfg.Cluster && cfg.Database != 0 {
		return cfg, fmt.Errorf("several servers are a cluster, which has no database %d: leave out the number, or all but one server", cfg.Database)
	}
	return cfg, nil
}

// A storeServer is one server of a store.
type storeServer struct {
	address  string // as package redis has it
	database int
	tls      bool
}

// parseStoreURL returns the server that a URL names. The error does not tell what may be
// a password.
func parseStoreURL(text string) (s storeServer, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return s, errors.New("it is no URL: write redis://127.0.0.1:6379/0, rediss://host:6380/0 or unix:///path")
	case u.User != nil:
		return s, errors.New("it has a user or a password in it: write them as `user` and `password`, which are not shown")
	case u.Scheme == "unix" && u.Path == "", u.Scheme != "unix" && u.Host == "":
		return s, fmt.Errorf("%q has no server in it: write redis://127.0.0.1:6379/0, rediss://host:6380/0 or unix:///path", text)
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return s, fmt.Errorf("%q is no kind of server: %s", u.Scheme, didYouMean(u.Scheme, []string{"redis", "rediss", "unix"}))
	case u.RawQuery != "" || u.Fragment != "" || u.Scheme == "unix" && u.Host != "":
		return s, errors.New("it has more in it than a server and the number of a database: leave out the rest")
	case u.Scheme == "unix":
		return storeServer{address: u.Path}, nil
	}
	s.tls = u.Scheme == "rediss"
	if s.address = u.Host; u.Port() == "" {
		s.address = net.JoinHostPort(u.Hostname(), "6379")
	}
	if number := strings.TrimPrefix(u.Path, "/"); number != "" {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return s, fmt.Errorf("%q is no number of a database: write one from 0 on, as in redis://127.0.0.1:6379/0", number)
		}
		s.database = int(n)
	}
	return s, nil
}
