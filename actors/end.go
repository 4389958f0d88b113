package actors

import (
	"fmt"
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
	switch {
	case !s.ending:
		s.turnedAway(err)
		s.report(err, look)
		s.finish(err)
	case s.renewed: // there is no other client
		s.last()
		s.report(err, look)
	}
}

// breakOff is fail while handlers may be at work.
func (s *session) breakOff(err error) {
	s.preempt(handlers.ErrSessionClosed)
	s.fail(err)
	s.advance()
}

// finish ends the connection, or one SMTP client on it, after what is still to be
// told.
func (s *session) finish(why error) {
	s.ending, s.why = true, why
	if !s.renewed {
		s.last()
	}
	if s.hold == holdNothing {
		s.during = 0
	}
	s.plan = slices.Insert(s.plan, 0, (*session).conclude, (*session).abandon, (*session).tellFaults)
}

// lose ends the session of a connection that is gone.
func (s *session) lose(m *lost) {
	if s.removed {
		return
	}
	s.gone = true
	s.taps.lost(m.err)
	s.loop.look()
	s.unsent = unsent{}
	s.outlet.close()
	s.preempt(handlers.ErrSessionClosed)
	switch {
	case m.err != nil:
		s.fail(fmt.Errorf("%w: %w", handlers.ErrIO, m.err))
	case m.partial:
		s.fail(protocol.ErrUnexpectedEnd)
	case s.ending:
		s.last()
	default:
		s.finish(nil)
	}
	s.advance()
}

// end ends the session at the word of the server.
func (s *session) end(m *ended) {
	s.loop.look()
	busy := m.err != nil || s.hold != holdNothing || s.control.Machine().InMessage()
	s.preempt(handlers.ErrSessionClosed)
	switch {
	case s.ending:
		s.last()
	case busy:
		s.fail(handlers.ErrSessionClosed)
	default:
		s.finish(nil)
	}
	s.advance()
}

// expireIdle ends the session of an MTA that was silent for too long.
func (s *session) expireIdle(after time.Duration) {
	err, limit := handlers.ErrTimeout, LimitTimeout
	if s.outside() {
		limit = LimitNegotiateTimeout
	}
	s.sys.Hit(limit)
	if s.control.Machine().State() == protocol.StateStart {
		err = fmt.Errorf("%w: no offer within %v", err, after)
	}
	s.fail(err)
	s.do((*session).tellFaults, func(s *session) {
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

// close lets go of what belongs to the connection, and of the connection. A
// function that is still running may use the private value.
func (s *session) close() {
	private := s.control.Session().Private() != nil
	if private && !s.stuck && s.late(nil, (*session).close, true) {
		return
	}
	s.letGo()
	if s.renewed && !s.gone {
		s.control.Renew()
		s.renewed, s.ending, s.why = false, false, nil
		s.establish()
		return
	}
	s.flush()
	s.leave(s.linger())
	s.sys.actors.Root.Stop(s.pid)
}

// linger returns how long the last output may take. An MTA that has said quit, and
// has taken all, waits for none.
func (s *session) linger() time.Duration {
	if s.code == protocol.CodeQuit && s.unsent.bytes == 0 {
		return 0
	}
	return s.gen.cfg.Linger
}

// leave takes the session out of the system and closes the connection.
func (s *session) leave(linger time.Duration) {
	if s.removed { // to be safe: close is planned once and drop has looked, so no test gets here
		return
	}
	s.removed = true
	if s.trail != nil {
		s.trail.spans.end(s.why)
	}
	s.loop.wheel.move(&s.timer, 0)
	s.outlet.close()
	s.sys.remove(s)
	if !s.gone {
		s.gone = true
		s.taps.tell(TapClosed)
		s.conn.Close(linger)
	}
	s.taps.end()
}

// drop ends a session that panicked. Nobody knows any more which reply would be in
// step, so the connection is closed without one.
func (s *session) drop() {
	if s.removed {
		return
	}
	s.loop.out = s.loop.out[:0]
	s.hold, s.ending, s.renewed = holdNothing, true, false
	s.control.Finish()
	s.leave(0)
	s.letGo()
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
