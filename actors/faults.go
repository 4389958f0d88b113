package actors

import (
	"errors"
	"log/slog"
	"runtime/debug"

	"millstream/handlers"
	"millstream/protocol"
)

// report tells the log of an error, and the handlers if they want to know. One that
// fails when it is told of a failure would do so for ever, and after the end nothing
// is told.
func (s *session) report(err error, look string) {
	kind := kindOf(err, s.during)
	if s.trail != nil {
		s.trail.failed(err, kind)
	}
	if kind == kindProtocol || kind == kindNegotiation {
		s.sys.counts.breach(err, look)
	}
	if s.sys.onReport != nil {
		s.sys.onReport(err)
	}
	last := s.during == handlers.KindError || s.control.Machine().State() == protocol.StateFinished
	if !last && s.wants.Events.Has(handlers.KindError) {
		s.faults = append(s.faults, handlers.Failure{During: s.during, Err: err})
	}
	level, message := describe(err, look)
	if p, ok := errors.AsType[*handlers.PanicError](err); ok {
		s.log(level, message, slog.Any("err", err), slog.String("stack", string(p.Stack)))
		return
	}
	s.log(level, message, slog.Any("err", err))
}

// tellFaults tells the handlers of the errors that were reported.
func (s *session) tellFaults() {
	if len(s.faults) == 0 {
		s.faults = nil
		return
	}
	first := s.faults[0]
	s.faults = s.faults[1:]
	s.do((*session).tellFaults)
	s.tell(&first)
}

// panicked logs a panic in here. A log that panics must not keep the session alive.
func (s *session) panicked(reason any) {
	defer func() { _ = recover() }()
	s.log(slog.LevelError, "session failed, connection closed",
		slog.Any("panic", reason), slog.String("stack", string(debug.Stack())))
}

// log writes a line about the session, unless there was one like it just now.
func (s *session) log(level slog.Level, message string, attrs ...slog.Attr) {
	suppressed, ok := s.sys.reporter.due(level, message, s.loop.stamp)
	if !ok {
		return
	}
	s.control.Release()
	f := s.control.Facts()
	s.sys.reporter.write(s.context(), level, message, suppressed, append([]slog.Attr{
		slog.Uint64("session", s.id), slog.String("qid", s.control.QueueID()), slog.String("peer", f.Peer.String()),
		slog.String("listener", f.Listener), slog.String("state", f.State.String()),
	}, attrs...))
}
