package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// fail ends the session for an error: of the protocol, of the transport, of the
// negotiation. Nothing more is answered.
func (s *session) fail(err error) { s.failLooking(err, "") }

// failLooking is fail for a stranger that seems to be something else.
func (s *session) failLooking(err error, look string) {
	if !s.ending {
		s.report(err, look)
		s.finish(err)
	}
}

// finish ends the connection after what is still to be told.
func (s *session) finish(why error, before ...task) {
	s.ending, s.why = true, why
	tasks := append([]task{(*session).conclude, (*session).abandon}, before...)
	s.borrowPlan()
	s.plan = slices.Insert(s.plan, 0, append(tasks, (*session).tellFaults)...)
}

// lose ends the session of a connection that is gone.
func (s *session) lose(m *lost) {
	if s.gone {
		return
	}
	s.gone = true
	s.loop.stamp = time.Now()
	s.loop.out = s.loop.out[:0]
	s.backlog = nil
	s.preempt(handlers.ErrSessionClosed)
	if !s.ending {
		switch {
		case m.partial:
			s.fail(protocol.ErrUnexpectedEnd)
		case m.err != nil:
			s.fail(fmt.Errorf("%w: %w", handlers.ErrIO, m.err))
		default:
			s.finish(nil)
		}
	}
	s.advance()
}

// end ends the session at the word of the server.
func (s *session) end(m *ended) {
	if s.ending {
		s.preempt(handlers.ErrSessionClosed)
		s.advance()
		return
	}
	s.loop.stamp = time.Now()
	busy := s.hold != holdNothing || s.control.Machine().InMessage()
	s.preempt(handlers.ErrSessionClosed)
	s.backlog = nil
	if busy || m.err != nil {
		s.fail(handlers.ErrSessionClosed)
	} else {
		s.finish(nil)
	}
	s.advance()
}

// expireIdle ends the session of an MTA that was silent for too long.
func (s *session) expireIdle(after time.Duration) {
	err := handlers.ErrTimeout
	if s.control.Machine().State() == protocol.StateStart {
		err = fmt.Errorf("%w: no offer within %v", err, after)
	}
	s.report(err, "")
	s.finish(err, func(s *session) {
		if s.wants.Events.Has(handlers.KindTimeout) {
			s.tell(&handlers.Timeout{After: after})
		}
	})
	s.advance()
}

// abandon gives up a message under way.
func (s *session) abandon() {
	if !s.control.Machine().InMessage() {
		return
	}
	s.next = 0
	if turn, err := s.control.Receive(&protocol.Abort{}, s.loop.stamp); err == nil {
		s.abort(turn.Aborts)
	}
}

// conclude tells of the end of the connection, or of that of one SMTP client.
func (s *session) conclude() {
	s.control.Finish()
	s.do((*session).close)
	if s.wants.Events.Has(handlers.KindFinished) {
		s.tell(&handlers.Finished{Err: s.why})
	}
}

// close lets go of what belongs to the connection, and of the connection.
func (s *session) close() {
	s.letGo()
	if s.renewed && !s.gone {
		s.control.Renew()
		s.renewed, s.ending, s.why = false, false, nil
		s.establish()
		return
	}
	s.flush()
	s.leave(s.sys.cfg.Linger)
	s.sys.actors.Root.Stop(s.pid)
}

// leave closes the connection and takes the session out of the system.
func (s *session) leave(linger time.Duration) {
	if s.removed {
		return
	}
	s.removed = true
	s.loop.wheel.set(&s.timer, time.Time{})
	s.loop.wheel.move(&s.timer, 0)
	s.outlet.drop()
	if !s.gone {
		s.gone = true
		s.conn.Close(linger)
	}
	s.sys.remove(s)
}

// drop ends a session that panicked. Nobody knows any more which reply would be in
// step, so the connection is closed without one.
func (s *session) drop() {
	if !s.removed {
		s.loop.out = s.loop.out[:0]
		s.leave(0)
		s.letGo()
	}
}

// letGo clears what is kept for the connection. A private value may panic when it
// is destroyed.
func (s *session) letGo() {
	r := s.control.Guard(func() handlers.Reply {
		s.control.Close()
		return handlers.Continue
	})
	if r.Failed() {
		s.report(r.Err(), "")
	}
}

// crash logs a panic in here.
func (s *session) crash(reason any) {
	attrs := append(s.attrs(nil), slog.Any("panic", reason), slog.String("stack", string(debug.Stack())))
	s.sys.reporter.report(slog.LevelError, "session failed, connection closed", time.Now(), attrs...)
}

// report tells the log of an error, and the handlers if they want to know.
func (s *session) report(err error, look string) {
	if s.sys.onReport != nil {
		s.sys.onReport(err)
	}
	if s.wants.Events.Has(handlers.KindError) {
		s.faults = append(s.faults, err)
	}
	level, message := describe(err, look)
	attrs := s.attrs(err)
	var panicked *handlers.PanicError
	if errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.Stack)))
	}
	s.sys.reporter.report(level, message, time.Now(), attrs...)
}

// attrs returns what a line of the log says of the session.
func (s *session) attrs(err error) []slog.Attr {
	f := s.control.Facts()
	queueID := s.control.Session().Macro("i")
	if queueID == "" {
		queueID = "NOQUEUE"
	}
	attrs := []slog.Attr{
		slog.Uint64("session", s.id), slog.String("qid", queueID), slog.String("peer", f.Peer.String()),
		slog.String("listener", s.listener), slog.String("state", f.State.String()),
	}
	if err != nil {
		attrs = append(attrs, slog.Any("err", err))
	}
	return attrs
}

// tellFaults tells the handlers of the errors that were reported.
func (s *session) tellFaults() {
	if len(s.faults) == 0 {
		s.faults = nil
		return
	}
	err := s.faults[0]
	s.faults = s.faults[1:]
	s.do((*session).tellFaults)
	s.tell(&handlers.Failure{During: s.kind, Err: err})
}
