package load

import (
	"errors"
	"fmt"
	"sort"
	"time"

	"millstream/protocol"
)

// longestWait is how long a worker waits before it looks around.
const longestWait = int64(50 * time.Millisecond)

// together is how long a worker waits at least from one message that is due to the next:
// to be woken for each of them would cost more than to send it.
const together = int64(50 * time.Microsecond)

var errConnectTimeout = errors.New("milter: no connection in time")

var errNotRead = errors.New("milter: nothing is read from the connection")

func errTimeout(command protocol.Code) error {
	return fmt.Errorf("milter: no answer to %v in time", command)
}

// loop runs the sessions until all have ended.
func (w *worker) loop() {
	w.poll.exactly()
	for wait := int64(0); ; {
		before := time.Now()
		n, err := w.poll.wait(wait)
		if w.poll.blocked {
			w.slept.Add(int64(time.Since(before)))
		}
		w.mu.Lock()
		if err != nil {
			w.run.giveUp(err)
		}
		w.clock()
		for i := range n {
			w.event(i)
		}
		w.clock()
		wait = w.pass()
		ended := w.ended()
		w.mu.Unlock()
		if ended {
			return
		}
	}
}

// pass does what time brings about. It returns how long nothing more will be due.
func (w *worker) pass() (wait int64) {
	for range len(w.timers) { // not for those that come up meanwhile: events have their turn first
		at, ok := w.timers.next()
		if !ok || at > w.now {
			break
		}
		if t := w.timers.take(); t.session.turn == t.turn {
			w.awake(t.session)
		}
	}
	w.serve()
	w.sweep()
	wait = longestWait
	if at, ok := w.timers.next(); ok {
		wait = min(wait, at-w.now)
	}
	if len(w.idle)+len(w.unused) > 0 {
		if at, ok := w.upcoming(); ok {
			wait = min(wait, at-w.now+w.gather(at))
		}
	}
	return wait
}

// ended reports whether there is nothing left to do. It then closes what is open.
func (w *worker) ended() bool {
	switch {
	case w.run.cut.Load():
	case w.active > 0 || !w.run.begun.Load() || !w.over():
		return false
	}
	for _, s := range w.sessions {
		if s.claimed && w.counts(s) {
			w.run.unanswered.Add(1)
		}
		if s.phase == held || s.phase == free {
			w.leave(s)
		} else {
			w.close(s, false)
		}
		w.drop(s)
	}
	w.gone = true
	return true
}

// upcoming returns when the next message is due: now in a closed loop. ok is false if
// no more will be.
func (w *worker) upcoming() (at int64, ok bool) { return w.further(0) }

// further returns when the message is due that comes so many after the next one. Workers
// share a schedule in turn.
func (w *worker) further(after int64) (at int64, ok bool) {
	r := w.run
	switch {
	case r.stopping.Load():
		return 0, false
	case w.schedule == nil:
		return w.now, !r.exhausted()
	}
	n := (w.claims+after)*int64(r.cfg.Workers) + int64(w.number)
	if limit := r.cfg.Messages; limit > 0 && n >= limit && r.measuring.Load() {
		return 0, false
	}
	since, ok := w.schedule.At(n)
	return w.from + int64(since), ok
}

// gather returns how much later than the message that is due at a time it is to begin, with
// those that are due by then. Each counts from when it was due.
func (w *worker) gather(at int64) int64 {
	next, ok := w.further(1)
	if w.schedule == nil || !ok {
		return 0
	}
	return max(0, together-(next-at))
}

// due reports whether a message is to begin.
func (w *worker) due() bool {
	at, ok := w.upcoming()
	return ok && at <= w.now
}

// over reports whether no more messages will be due.
func (w *worker) over() bool {
	_, ok := w.upcoming()
	return !ok
}

// claim takes a message to send, if there is one, and returns when it was due.
func (w *worker) claim() (due int64, ok bool) {
	at, ok := w.upcoming()
	switch {
	case !ok || at > w.now:
		return 0, false
	case w.schedule == nil:
		return at, w.run.claim()
	}
	w.claims++
	return at, true
}

// waiting returns how many messages are due that no session was free for.
func (w *worker) waiting() int64 {
	if w.schedule == nil {
		return 0
	}
	w.clock()
	late := func(n int) bool {
		at, ok := w.further(int64(n))
		return ok && at <= w.now
	}
	most := 1
	for late(most) {
		most *= 2
	}
	return int64(sort.Search(most, func(n int) bool { return !late(n) }))
}

// measure begins to measure: what was seen so far is forgotten, and the schedule
// begins. The caller holds the lock.
func (w *worker) measure(s Schedule) {
	w.clock()
	w.from, w.claims, w.schedule = w.now, 0, s
	w.slept.Store(0)
	w.stats.reset()
}

// counts reports whether the message of s is measured: those of the warm-up are not.
func (w *worker) counts(s *session) bool { return s.due >= w.from }
