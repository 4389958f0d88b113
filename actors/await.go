package actors

import (
	"log/slog"

	"millstream/handlers"
	"millstream/protocol"
)

// waiting is what there is to know of what a session waits for, if it does.
type waiting struct {
	held     handlers.Event // the event that waits for a function to return
	heldTold bool           // it takes no answer
	extended instant        // when the MTA was last asked to wait on
}

// hold says what a session waits for before it goes on, if anything.
type hold uint8

const (
	holdNothing hold = iota
	holdAnswer       // the answer to an event
	holdTold         // the return of a function that was told of an event
	holdWorker       // the return of a function whose answer is no longer wanted
)

// await waits for a pending reply.
func (s *session) await(h hold, r handlers.Reply) {
	s.wait(h)
	number, worker, waits := s.number, false, false
	s.control.Run(s.event, r, func(f func()) {
		worker, s.worker = true, true
		waits = !s.sys.workers.start(s.gen, f)
	}, func(next func() handlers.Reply) {
		s.PostUserMessage(&resolved{number, next, worker})
	})
	if waits {
		s.sys.Hit(LimitWorkers)
		s.log(slog.LevelWarn, "functions wait: as many run as allowed", slog.Int("max_workers", s.gen.cfg.MaxWorkers))
	}
}

// wait makes the session wait.
func (s *session) wait(h hold) {
	if s.hold == holdNothing {
		s.extended, s.scanned = s.loop.wheel.instant(s.begun), 0
		s.pending.Store(s.begun.UnixNano())
		s.idle.Store(0)
	}
	s.hold = h
}

// resume ends the wait. The MTA's time begins anew.
func (s *session) resume() {
	s.hold = holdNothing
	s.heard = s.loop.now()
	s.pending.Store(0)
	s.idle.Store(s.loop.stamp.UnixNano())
}

// late reports whether ev has to wait for a function of an event that is over. No
// two functions of a session run at once.
func (s *session) late(ev handlers.Event, then task, told bool) bool {
	if !s.worker {
		return false
	}
	s.held, s.heldTold = handlers.Own(ev), told
	s.begun = s.loop.stamp
	s.wait(holdWorker)
	s.do(then)
	return true
}

// resolve goes on with what became of a pending answer.
func (s *session) resolve(m *resolved) {
	s.loop.look()
	if m.worker {
		s.worker, s.stuck = false, false
	}
	switch {
	case m.turn == s.number && (s.hold == holdAnswer || s.hold == holdTold):
		r := m.next()
		s.measure(s.during)
		if r.Status() == protocol.StatusProgress {
			s.await(s.hold, r)
			return
		}
		s.settle(r)
	case s.hold == holdWorker && !s.worker:
		s.dropped(m)
		s.resume()
	default:
		s.dropped(m)
		return
	}
	s.advance()
	s.interrupt()
}

// settle ends the wait for a reply.
func (s *session) settle(r handlers.Reply) {
	told := s.hold == holdTold
	s.resume()
	if told {
		s.observed(r)
		return
	}
	s.answered(r)
}

// preempt ends the wait for the event under way, whose context ends with a cause.
// It reports whether the event is still waited for: the answer to an abort, and the
// return of a function that was told of an event, only end sooner.
func (s *session) preempt(cause error) (held bool) {
	if s.hold == holdNothing {
		return false
	}
	s.control.Over(cause)
	gentle := s.ending || s.hold == holdTold || s.hold == holdWorker && s.heldTold || s.code == protocol.CodeAbort
	switch {
	case !gentle:
		s.dropEvent()
	case s.worker:
		return true
	default: // nobody is waited for but the one who has the Resolve
		s.settle(handlers.Reply{})
	}
	return false
}

// dropEvent forgets the event under way: nothing is written for it.
func (s *session) dropEvent() {
	s.held, s.negotiation, s.split, s.during = nil, nil, false, 0
	s.plan = s.plan[:0]
	if s.message != nil {
		_, _, _ = s.control.Conclude(s.message)
		s.message = nil
	}
	s.outlet.drop()
	s.resume()
}

// expire ends a wait that took too long: the failure status answers, or the session
// goes on without the function.
func (s *session) expire() {
	s.sys.Hit(LimitHandlerTimeout)
	s.control.Over(handlers.ErrTimeout)
	if s.hold == holdWorker {
		s.stuck = true
		if s.heldTold { // else the task that waits fails, and reports
			s.report(handlers.ErrTimeout, "")
			s.during = 0
		}
		s.resume()
	} else {
		s.settle(handlers.Failed(handlers.ErrTimeout))
	}
	s.advance()
	s.interrupt()
}
