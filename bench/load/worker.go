package load

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Times of a worker, in nanoseconds.
const (
	retryAfter   = int64(2 * time.Millisecond)  // for a milter that has not accepted yet
	firstBackoff = int64(10 * time.Millisecond) // after an error
	lastBackoff  = int64(time.Second)
	sweepEvery   = int64(100 * time.Millisecond) // to find what takes too long
)

var errClosed = errors.New("milter: connection closed between messages")

// A worker is an event loop and its sessions.
type worker struct {
	run    *runner
	number int
	poll   *poller
	target target
	random *rand.Rand
	in     []byte
	out    []byte
	base   time.Time    // when the run was begun
	slept  atomic.Int64 // nanoseconds spent waiting

	// The rest is for whoever has the lock: the worker, but while it waits.
	mu       sync.Mutex
	stats    stats
	now      int64 // nanoseconds since base
	from     int64 // when what is measured began
	sessions []*session
	idle     pool // sessions of an open loop that wait for a message: those with a connection
	unused   pool // those without
	timers   timers
	swept    int64
	schedule Schedule
	claims   int64 // messages of the schedule that were claimed
	nextID   uint64
	active   int  // sessions that send messages, have not ended and do not rest
	gone     bool // the loop is over
	inFlight int64
	dialog   *dialog // of the last negotiation
}

func newWorker(r *runner, number int) (*worker, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &worker{
		run: r, number: number, poll: p, target: r.target.clone(), base: r.base, stats: newStats(),
		random: rand.New(rand.NewPCG(r.cfg.Seed, uint64(number))),
		in:     make([]byte, 128<<10),
		nextID: r.cfg.Seed<<24 + uint64(number)<<40,
	}, nil
}

func (w *worker) clock() { w.now = int64(time.Since(w.base)) }

// measured returns the time since what is measured began.
func (w *worker) measured() time.Duration { return time.Duration(w.now - w.from) }

// add makes sessions and starts them, or keeps them for when they are needed.
func (w *worker) add(n int, holds bool) {
	if w.gone {
		return
	}
	w.clock()
	for range n {
		s := &session{fd: -1, slot: len(w.sessions), holds: holds}
		w.sessions = append(w.sessions, s)
		if holds {
			w.launch(s)
			continue
		}
		w.active++
		w.feed(s)
	}
}

// launch opens a connection.
func (w *worker) launch(s *session) {
	s.opened, s.since = w.now, w.now
	w.start(s)
}

// wake has a session go on at a time.
func (w *worker) wake(s *session, at int64) { w.timers.add(timer{at, s, s.turn}) }

// awake goes on with a session whose time has come.
func (w *worker) awake(s *session) {
	if s.rests {
		s.rests = false
		w.active++
	}
	switch {
	case s.phase == knocking:
		w.start(s)
	case s.phase == closed && s.holds:
		w.launch(s)
	case s.phase == closed || s.phase == free:
		w.feed(s)
	case s.deaf:
		s.deaf = false
		w.watch(s)
	default:
		w.proceed(s)
	}
}

// next goes on with a session whose message has ended.
func (w *worker) next(s *session) {
	w.end(s)
	w.feed(s)
}

// end counts a message that a connection has taken.
func (w *worker) end(s *session) {
	if s.fd < 0 {
		return
	}
	s.phase = free
	if w.run.cfg.Reuse > 0 {
		if s.left--; s.left == 0 {
			w.leave(s)
		}
	}
}

// feed gives a session a message to send, or has it wait for one or end.
func (w *worker) feed(s *session) {
	due, ok := w.claim()
	switch {
	case ok:
		s.claimed, s.due = true, due
		w.inFlight++
		if s.fd < 0 {
			w.launch(s)
		} else {
			w.begin(s)
		}
	case w.over():
		if s.fd >= 0 {
			w.leave(s)
		}
		w.active--
	case s.fd < 0:
		w.unused.put(s)
	default:
		w.idle.put(s)
	}
}

// serve hands messages that are due to sessions that wait for one. When there are no
// more to come, these end.
func (w *worker) serve() {
	for _, p := range []*pool{&w.idle, &w.unused} {
		for len(*p) > 0 && (w.due() || w.over()) {
			w.feed(p.take())
		}
	}
}

// event handles one event of the poller.
func (w *worker) event(i int) {
	slot, turn, input, room := w.poll.event(i)
	if slot == ownSlot {
		return
	}
	s := w.sessions[slot]
	if s.turn != turn { // it was for a connection that is closed by now
		return
	}
	if s.phase == opening {
		if err := connected(s.fd); err != nil {
			w.failed(s, ErrorConnect, err)
			return
		}
		w.clock()
		if s.blocked = false; w.watch(s) {
			w.offer(s)
		}
		return
	}
	if room && s.blocked {
		w.clock()
		s.since = max(s.since, w.now)
		w.drain(s)
	}
	if input && s.turn == turn {
		w.input(s)
	}
}

// sweep ends sessions whose milter takes too long.
func (w *worker) sweep() {
	if w.now-w.swept < sweepEvery {
		return
	}
	w.swept = w.now
	for _, s := range w.sessions {
		if w.now-s.since < int64(w.run.cfg.Timeout) {
			continue
		}
		switch {
		case s.phase == opening, s.phase == knocking:
			w.failed(s, ErrorConnect, errConnectTimeout)
		case s.blocked:
			w.failed(s, ErrorTimeout, errNotRead)
		case s.awaiting:
			w.failed(s, ErrorTimeout, errTimeout(s.exchange.Command))
		}
	}
}
