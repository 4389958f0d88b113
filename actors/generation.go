package actors

import (
	"fmt"
	"sync/atomic"

	"millstream/handlers"
)

// A generation is what the sessions have in common that begin between two calls of
// Swap: a configuration and a factory. A session keeps its own to the end of its
// connection: what its MTA sends was agreed on for these handlers and no others.
type generation struct {
	cfg     Config
	factory handlers.Factory
	users   atomic.Int64  // sessions, functions of theirs, and the system while it is the current one
	unused  chan struct{} // closed when there are none, and will be none
}

func newGeneration(cfg Config, f handlers.Factory) (*generation, error) {
	if f == nil {
		return nil, fmt.Errorf("%w: factory", handlers.ErrNull)
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	g := &generation{cfg: cfg, factory: f, unused: make(chan struct{})}
	g.users.Store(1)
	return g, nil
}

// release ends one use of g.
func (g *generation) release() {
	if g.users.Add(-1) == 0 {
		close(g.unused)
	}
}

// Swap has the sessions that begin from now on use f, and run as cfg says. Those that
// are under way go on as they are until their connections end, also for other SMTP
// clients on these. Of cfg the fields Log, Tracer, Meter and Timelines do not count: they
// stay what they are for all sessions. MaxWorkers counts for all sessions at once.
//
// unused is closed when no session and no function of one uses the factory before, nor
// its handlers; what they hold can then be closed. What a function of Async has started
// itself is not waited for. On an error, as of NewSystem, nothing has changed.
func (s *System) Swap(cfg Config, f handlers.Factory) (unused <-chan struct{}, err error) {
	cfg.Log, cfg.Tracer, cfg.Meter, cfg.Timelines = s.cfg.Log, s.cfg.Tracer, s.cfg.Meter, s.cfg.Timelines
	next, err := newGeneration(cfg, f)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	last := s.current
	s.current = next
	s.workers.limit(next.cfg.MaxWorkers)
	s.mu.Unlock()
	last.release()
	return last.unused, nil
}

// join returns the current generation for a session that begins, which is to release
// it.
func (s *System) join() *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.users.Add(1)
	return s.current
}
