package redis

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"millstream/handlers/store"
	"millstream/handlers/store/internal/local"
)

// A Store keeps counters and marks that the machines share which have the same Redis
// and the same prefix.
type Store struct {
	cfg      Config
	node     string // this store, among all that share
	counters *local.Table[counter]
	marks    *local.Table[mark]

	// What Redis is to be told or asked, in the background and while somebody waits.
	dirtyCounters, dirtyMarks queue
	questionsMu               sync.Mutex
	questions                 []*question
	changed, asked            chan struct{} // there is more of it

	// era is even while Redis answers, and odd while it does not: then this machine
	// decides alone. What Redis told in a former era is not confirmed.
	era  atomic.Int64
	late atomic.Bool // somebody has waited for an answer in vain

	// Of the goroutine that talks to Redis.
	client  *link // nil without a connection
	breaker *gobreaker.CircuitBreaker[struct{}]
	since   time.Time // when the era began
	ids     []local.ID

	telemetry telemetry
	life      context.Context // ends when the store is being closed
	end       func()
	closing   sync.Once
	done      chan struct{}
	closed    error
}

var _ store.Store = (*Store)(nil)

// Eras: that of an entry which is new, of which nothing was told, and that of a store.
const (
	never = 0
	first = 2
)

// failures is how often in a row Redis has to fail before it counts as away.
const failures = 3

// Open returns a store. It does not wait for Redis: whether that answers shows in the
// log. The error says which field of the Config is wrong.
func Open(cfg Config) (*Store, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	limit := local.Limit(cfg.MaxEntries)
	s := &Store{
		cfg: cfg, node: rand.Text(),
		counters:      local.NewTable[counter](limit, local.Warn(cfg.Log, "counters", limit)),
		marks:         local.NewTable[mark](limit, local.Warn(cfg.Log, "marks", limit)),
		dirtyCounters: queue{limit: limit}, dirtyMarks: queue{limit: limit},
		changed: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		since: time.Now(),
		done:  make(chan struct{}),
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.era.Store(first)
	s.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     cfg.Retry,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failures },
	})
	s.telemetry.begin(s)
	go s.run()
	return s, nil
}

// Close tells Redis what it does not know yet, as far as that takes no longer than the
// time-out, and ends the connection.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.end()
		<-s.done
		s.closed = s.telemetry.end()
	})
	return s.closed
}

// sharing reports whether Redis answers.
func (s *Store) sharing() bool { return s.era.Load()%2 == 0 }

// confirmed reports whether what was told in an era is what Redis would tell now, but
// for what is new.
func (s *Store) confirmed(era int64) bool { return s.sharing() && era == s.era.Load() }

// answered returns the era to which an answer belongs that has just come: if Redis was
// away, one that begins with it.
func (s *Store) answered() int64 { return (s.era.Load() + 1) &^ 1 }

// signal wakes who waits for a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
