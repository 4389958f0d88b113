package memory

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"millstream/handlers/store"
	"millstream/handlers/store/internal/local"
)

// Config sets where a store keeps what it knows. The zero Config is ready to use: it
// keeps nothing over a restart.
type Config struct {
	// Path is the file of snapshots, which is made if there is none. Empty means no
	// snapshots. No two stores can have the same file open.
	Path string

	// Interval is how often a snapshot is written. Zero means 1 min, negative only at
	// Close.
	Interval time.Duration

	// MaxEntries is how many counters are kept, and how many marks. Zero means
	// 1,000,000 of each.
	MaxEntries int

	// Log takes the log. Nil means slog.Default.
	Log *slog.Logger

	// Meter takes measurements. Nil means the global one of OpenTelemetry, which takes
	// none unless the program sets it.
	Meter metric.MeterProvider
}

// scope is the name under which instruments are made.
const scope = "millstream/handlers/store/memory"

// MetricEvicted is the name of the counter of entries that have made room for others
// before their end.
const MetricEvicted = local.MetricEvicted

// A Store keeps counters and marks in the memory of this process. None of its calls
// waits for anything but a lock.
type Store struct {
	counters  *local.Table[local.Counter]
	marks     *local.Table[local.Mark]
	unwatch   func() error
	snapshots *snapshots // nil if there are none
	closing   sync.Once
	closed    error
}

var _ store.Store = (*Store)(nil)

// Open returns a store with what its file has of the last run. The error says what is
// wrong with the file, or which field of the Config is: the store is then not open.
func Open(cfg Config) (*Store, error) {
	if cfg.MaxEntries < 0 {
		return nil, fmt.Errorf("store: Config.MaxEntries is %d: zero means %d", cfg.MaxEntries, local.DefaultMaxEntries)
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	limit := local.Limit(cfg.MaxEntries)
	s := &Store{
		counters: local.NewTable[local.Counter](limit, local.Warn(cfg.Log, "counters", limit)),
		marks:    local.NewTable[local.Mark](limit, local.Warn(cfg.Log, "marks", limit)),
	}
	if cfg.Path != "" {
		var err error
		if s.snapshots, err = openSnapshots(cfg, s); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	var err error
	s.unwatch, err = local.WatchEvictions(local.Meter(cfg.Meter, scope), func() int64 {
		return s.counters.Evicted() + s.marks.Evicted()
	})
	if err != nil {
		cfg.Log.Warn("evictions of the store are not measured", "error", err)
		s.unwatch = func() error { return nil }
	}
	return s, nil
}

// Close writes a last snapshot and ends the writing of snapshots. It returns what went
// wrong with the last one.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed = s.unwatch()
		if s.snapshots == nil {
			return
		}
		if err := s.snapshots.close(); err != nil {
			s.closed = fmt.Errorf("store: %w", err)
		}
	})
	return s.closed
}

// Incr implements store.Counters.
func (s *Store) Incr(ctx context.Context, key string, n int64, w store.Window) store.Total {
	total, _ := s.Take(ctx, key, n, local.NoLimit, w)
	return total
}

// Take implements store.Counters.
func (s *Store) Take(_ context.Context, key string, n, limit int64, w store.Window) (store.Total, bool) {
	m, id := local.MomentOf(time.Now(), w), local.CounterID(key, w.Length)
	shard := s.counters.Lock(id)
	defer shard.Unlock()
	e, _ := shard.Put(id, m.Now, local.Ends(m.Window, m.Length))
	e.Value.Roll(m.Window)
	return m.Count(&e.Value, local.Counter{}, n, limit)
}

// SetNX implements store.Marks.
func (s *Store) SetNX(_ context.Context, key string, value int64, ttl time.Duration) (store.Mark, bool) {
	now, id := time.Now().UnixNano(), local.MarkID(key)
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	if e := shard.Find(id, now); e != nil {
		return e.Value.Public(e.Ends, false), false
	}
	e, _ := shard.Put(id, now, now+int64(local.Clamp(ttl)))
	e.Value = local.NewMark(now, value)
	return e.Value.Public(e.Ends, false), true
}

// Get implements store.Marks.
func (s *Store) Get(_ context.Context, key string) (store.Mark, bool) {
	now, id := time.Now().UnixNano(), local.MarkID(key)
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	e := shard.Find(id, now)
	if e == nil {
		return store.Mark{}, false
	}
	return e.Value.Public(e.Ends, false), true
}

// Set implements store.Marks.
func (s *Store) Set(_ context.Context, key string, value int64, ttl time.Duration) {
	now, id := time.Now().UnixNano(), local.MarkID(key)
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	e, known := shard.Put(id, now, now+int64(local.Clamp(ttl)))
	if !known {
		e.Value = local.NewMark(now, value)
	}
	e.Value.Value = value
}

// Touch implements store.Marks.
func (s *Store) Touch(_ context.Context, key string, ttl time.Duration) {
	now, id := time.Now().UnixNano(), local.MarkID(key)
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	if e := shard.Find(id, now); e != nil {
		shard.Put(id, now, max(e.Ends, now+int64(local.Clamp(ttl))))
	}
}

// MayWait implements store.Marks.
func (s *Store) MayWait() bool { return false }
