package actors

import (
	"fmt"
	"log/slog"

	"millstream/handlers"
)

// flush writes what the session has to write: one write for all packets of a read.
func (s *session) flush() {
	if out := s.loop.out; len(out) > 0 {
		s.loop.out = out[:0]
		s.send(out)
	}
}

// send writes packets. If that fails the connection is gone, which comes as a
// message; nothing more is written to it meanwhile.
func (s *session) send(packets []byte) {
	if s.gone {
		return
	}
	if s.conn.Write(packets) != nil {
		s.gone = true
		return
	}
	s.outBytes.Add(uint64(len(packets)))
	s.taps.answered(packets)
	s.unsent.look(len(packets), s.conn.Unsent(), s.loop.now())
}

// unsent is what the MTA has not taken of what was written.
type unsent struct {
	bytes int
	since instant // when it last took something
}

// look notes what is unsent now, after more was written.
func (u *unsent) look(written, bytes int, now instant) {
	if u.bytes == 0 || bytes < u.bytes+written {
		u.since = now
	}
	u.bytes = bytes
}

// checkUnsent ends a session whose MTA takes nothing.
func (s *session) checkUnsent() {
	if s.unsent.bytes == 0 || s.gone {
		return
	}
	now := s.loop.now()
	s.unsent.look(0, s.conn.Unsent(), now)
	s.outlet.room(s.unsent.bytes)
	limit := s.gen.cfg.WriteTimeout
	if s.unsent.bytes > 0 && limit > 0 && now >= s.unsent.since.after(limit) {
		s.sys.Hit(LimitWriteTimeout)
		s.breakOff(fmt.Errorf("%w: nothing read for %v", handlers.ErrIO, limit))
	}
}

// Flush is [handlers.Outlet].
func (s *session) Flush(packets []byte) {
	if s.outlet.add(packets) {
		s.PostUserMessage(&flushed{})
	}
}

// Wait is [handlers.Outlet].
func (s *session) Wait() {
	if s.outlet.wait() {
		s.sys.Hit(LimitOutboundChanges)
		s.sys.Log(slog.LevelInfo, "changes to a message had to wait: the MTA is slow to read",
			slog.Uint64("session", s.id), slog.Int("max_outbound", s.gen.cfg.MaxOutbound))
	}
}

// drainOutlet writes the changes that wait. Each flush is a write of its own.
func (s *session) drainOutlet() {
	packets := s.outlet.take()
	if len(packets) == 0 {
		return
	}
	s.flush()
	for _, p := range packets {
		s.send(p)
	}
	s.outlet.room(s.unsent.bytes)
}
