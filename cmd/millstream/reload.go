package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"millstream/cmd/internal/config"
	"millstream/netio"
)

// metricReloads counts how often the configuration was to be read again.
const metricReloads = "millstream.config.reloads"

// What became of a reload, as metricReloads tells it.
var (
	reloadDone   = metric.WithAttributeSet(attribute.NewSet(attribute.String("result", "ok")))
	reloadFailed = metric.WithAttributeSet(attribute.NewSet(attribute.String("result", "error")))
)

// A reloader gives a server the configuration that its file has by now, while it runs.
type reloader struct {
	*maker
	server *netio.Server
	count  metric.Int64Counter
	ended  chan struct{} // closed when no session is left
	old    sync.WaitGroup

	mu      sync.Mutex // one reload at a time
	running *config.Config
	current *service

	told sync.Mutex
	now  reloadState
}

// A reloadState tells of the configuration that is in force.
type reloadState struct {
	Generation int       `json:"generation"` // 1 is that of the start
	LoadedAt   time.Time `json:"loaded_at"`
	FailedAt   time.Time `json:"reload_failed_at,omitzero"` // of the last reload, if that failed
}

// newReloader returns the reloader of a server that runs with a configuration and what
// was made of it. close is to be called when it has no sessions any more.
func newReloader(m *maker, c *config.Config, current *service, server *netio.Server) (*reloader, error) {
	count, err := m.told.meter.Meter("millstream").Int64Counter(metricReloads, metric.WithUnit("{reload}"),
		metric.WithDescription("How often the configuration was to be read again while the server runs."))
	if err != nil { // no provider that there is refuses this name
		return nil, err
	}
	for _, result := range []metric.AddOption{reloadDone, reloadFailed} {
		count.Add(context.Background(), 0, result) // so that an alert sees the first
	}
	return &reloader{
		maker: m, server: server, count: count, ended: make(chan struct{}), running: c, current: current,
		now: reloadState{Generation: 1, LoadedAt: time.Now().UTC()},
	}, nil
}

// state returns what is in force.
func (r *reloader) state() reloadState {
	r.told.Lock()
	defer r.told.Unlock()
	return r.now
}

// reload reads the configuration again. If it is good, sessions that begin from now on
// have its handlers, and changes are what is different. Otherwise all stays as it is.
// who wants it is for the log.
func (r *reloader) reload(ctx context.Context, who string) (changes []config.Change, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.ended:
		return nil, net.ErrClosed
	default:
	}
	notify(r.log, notifyReloading())
	defer notify(r.log, notifyReady)
	changes, err = r.swap()
	result := reloadDone
	r.told.Lock()
	if r.now.FailedAt = (time.Time{}); err != nil {
		r.now.FailedAt, result = time.Now().UTC(), reloadFailed
	} else {
		r.now.Generation++
		r.now.LoadedAt = time.Now().UTC()
	}
	generation := r.now.Generation
	r.told.Unlock()
	r.count.Add(ctx, 1, result)
	if err != nil {
		r.log.Error("configuration not reloaded: the one before stays in force", "by", who, "generation", generation, "err", err)
		return nil, err
	}
	r.log.Info("configuration reloaded: it is that of new sessions", "by", who, "generation", generation, "changes", keysOf(changes, false))
	if late := keysOf(changes, true); late != "" {
		r.log.Warn("part of the configuration needs a restart, and is not in force", "keys", late)
	}
	return changes, nil
}

// swap is reload without what is told of it.
func (r *reloader) swap() ([]config.Change, error) {
	next, err := r.load()
	if err != nil {
		return nil, err
	}
	changes := config.Diff(r.running, next)
	next.Keep(r.running)
	level, err := levelOf(next)
	if err != nil {
		return nil, err
	}
	made, err := r.build(next, r.current.generation)
	if err != nil {
		return nil, err
	}
	unused, err := r.server.Swap(made.cfg.Sessions, made.factory)
	if err != nil {
		return nil, errors.Join(err, made.generation.Close())
	}
	r.level.Set(level)
	r.retire(r.current, unused)
	r.running, r.current = next, made
	return changes, nil
}

// retire closes what handlers hold, when they are not used any more or the server has
// ended.
func (r *reloader) retire(s *service, unused <-chan struct{}) {
	r.old.Go(func() {
		select {
		case <-unused:
		case <-r.ended:
		}
		s.close(r.log)
	})
}

// close closes what all handlers hold. The server has ended; a reload is an error from
// now on.
func (r *reloader) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.ended)
	r.old.Wait()
	r.current.close(r.log)
}

// follow reloads at each signal until ctx ends, or it is stopped.
func (r *reloader) follow(ctx context.Context, signals <-chan os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		for {
			select {
			case <-signals:
				_, _ = r.reload(ctx, "SIGHUP") // the log has it
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		following.Wait()
	}
}

// keysOf returns the keys of changes that need a restart, or that do not.
func keysOf(changes []config.Change, restart bool) string {
	var keys []string
	for _, c := range changes {
		if c.Restart == restart {
			keys = append(keys, c.Key)
		}
	}
	return strings.Join(keys, " ")
}

// levelOf returns the level of the log.
func levelOf(c *config.Config) (level slog.Level, err error) {
	if err = level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		err = fmt.Errorf("log.level: %w", err)
	}
	return level, err
}
