package actors

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"millstream/handlers"
)

// A System runs the sessions of a server.
type System struct {
	cfg      Config // of its start: what Swap does not change
	actors   *actor.ActorSystem
	workers  workers
	reporter reporter
	stale    atomic.Int64 // answers and messages that came too late
	counts   *counts
	onReport func(error) // for Offline; else nil
	measured *telemetry
	taps     atomic.Pointer[[]*Tap] // those that are open; nil if there are none

	mu       sync.Mutex
	current  *generation // of sessions that begin
	sessions map[uint64]*session
	empty    signal // of sessions
	opened   int64  // sessions
	in, out  uint64 // bytes of those that have ended
}

// lastID makes session numbers unique in the process.
var lastID atomic.Uint64

// NewSystem returns a system without sessions. The error names the field of cfg
// that is wrong, or is ErrNull if f is nil.
func NewSystem(cfg Config, f handlers.Factory) (*System, error) {
	first, err := newGeneration(cfg, f)
	if err != nil {
		return nil, err
	}
	cfg = first.cfg
	s := &System{
		cfg:      cfg,
		current:  first,
		workers:  workers{max: cfg.MaxWorkers},
		counts:   new(counts),
		reporter: reporter{log: cfg.Log},
		sessions: make(map[uint64]*session),
	}
	if s.measured, err = newTelemetry(s); err != nil { // no provider that there is refuses these names
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	// protoactor logs whole messages, that is mail; what matters is logged here.
	quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	s.actors = actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	shrinkRegistry(s.actors.ProcessRegistry)
	return s, nil
}

// shrinkRegistry leaves a new registry one of its 1024 maps, which has 32 parts with a
// lock each. With all of them nearly every session would have a part of its own, of 300
// bytes. What protoactor has put there itself may be lost: it is not looked up.
func shrinkRegistry(r *actor.ProcessRegistryValue) {
	r.LocalPIDs.LocalPIDs = slices.Clone(r.LocalPIDs.LocalPIDs[:1])
}

// Len returns how many sessions are alive.
func (s *System) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Sessions returns the sessions now alive, oldest first.
func (s *System) Sessions() []Info {
	now := time.Now()
	list := s.alive()
	infos := make([]Info, len(list))
	for i, one := range list {
		infos[i] = one.info(now)
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

// totals are counts of all sessions there were.
type totals struct {
	active, pending, opened int64
	queued                  int64  // messages that wait in mailboxes
	scheduled               int64  // sessions that wait for their event loop
	in, out                 uint64 // bytes
}

// totals returns the counts.
func (s *System) totals() totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := totals{active: int64(len(s.sessions)), opened: s.opened, in: s.in, out: s.out}
	for _, one := range s.sessions {
		t.in += one.inBytes.Load()
		t.out += one.outBytes.Load()
		if one.pending.Load() != 0 {
			t.pending++
		}
		queued, scheduled := one.depth()
		t.queued += int64(queued)
		if scheduled {
			t.scheduled++
		}
	}
	return t
}

// alive returns the sessions now alive, in no order.
func (s *System) alive() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*session, 0, len(s.sessions))
	for _, one := range s.sessions {
		list = append(list, one)
	}
	return list
}

// Abort ends one session as if its connection were lost. The error is
// ErrSessionClosed if there is none of that number.
func (s *System) Abort(id uint64) error {
	s.mu.Lock()
	one := s.sessions[id]
	s.mu.Unlock()
	if one == nil {
		return handlers.ErrSessionClosed
	}
	one.PostUserMessage(&ended{handlers.ErrSessionClosed})
	return nil
}

// Drain waits until no session is left, or until ctx ends. Sessions go on until
// their MTAs leave.
func (s *System) Drain(ctx context.Context) error {
	s.mu.Lock()
	empty := s.empty.when(len(s.sessions) == 0)
	s.mu.Unlock()
	return await(ctx, empty)
}

// CloseAll ends all sessions: those that are idle without an error, the others with
// ErrSessionClosed.
func (s *System) CloseAll() {
	for _, one := range s.alive() {
		one.PostUserMessage(&ended{})
	}
}

// Wait waits until the functions of Go, Blocking and Async have returned, or until
// ctx ends.
func (s *System) Wait(ctx context.Context) error { return await(ctx, s.workers.idle()) }

// Stop frees what the system holds. It is to be called once, after the last
// session.
func (s *System) Stop() {
	s.reporter.settle(time.Now().Add(logEvery))
	s.measured.stop()
	s.actors.Shutdown()
}

func (s *System) add(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[one.id] = one
	s.opened++
}

func (s *System) remove(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, one.id)
	s.in += one.inBytes.Load()
	s.out += one.outBytes.Load()
	if len(s.sessions) == 0 {
		s.empty.send()
	}
}
