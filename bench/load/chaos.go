package load

import "millstream/protocol"

// A mischief is what is done with a message beside sending it. Messages that have
// one are in no latency.
type mischief uint8

const (
	none mischief = iota
	abort
	reset
	unknown
	slowRead
)

// plan decides whether mischief is done with a message, which, and where.
func (w *worker) plan(s *session) {
	s.mischief, s.cut = none, -1
	c := &w.run.cfg.Chaos
	if *c == (Chaos{}) {
		return
	}
	steps := s.packets.Steps
	dice := w.random.Float64()
	for _, choice := range []struct {
		share float64
		what  mischief
	}{{c.Abort, abort}, {c.Reset, reset}, {c.Unknown, unknown}, {c.SlowRead, slowRead}} {
		if dice -= choice.share; dice >= 0 {
			continue
		}
		s.mischief = choice.what
		switch choice.what {
		case abort, reset:
			s.cut = 1 + w.random.IntN(len(steps)-1)
		case unknown: // SMTP commands come before the content
			content := 1
			for content < len(steps) && isOfClient(steps[content].Code) {
				content++
			}
			s.cut = 1 + w.random.IntN(max(content-1, 1))
		}
		return
	}
}

// slow reports whether the last answer is to be left unread.
func (s *session) slow() bool { return s.mischief == slowRead && s.phase == sending }

// misbehave does the mischief that was planned.
func (w *worker) misbehave(s *session) {
	s.cut = -1
	switch s.mischief {
	case abort:
		w.did(s, &w.stats.counts.Aborts)
		s.first = abortPacket
		w.drop(s)
		w.end(s)
		w.wake(s, w.now) // not at once: perhaps nothing was waited for
	case reset:
		w.did(s, &w.stats.counts.Resets)
		w.drop(s)
		w.close(s, true)
		w.next(s)
	case unknown:
		if !s.dialog.terms.Sends(protocol.CodeUnknown) {
			s.mischief = none // the milter does not hear of it
			w.proceed(s)
			return
		}
		w.did(s, &w.stats.counts.Unknown)
		s.first = unknownPacket
		if s.dialog.terms.Waits(protocol.CodeUnknown) {
			s.await(protocol.CodeUnknown)
		}
		w.flush(s)
	}
}

// did counts mischief.
func (w *worker) did(s *session, count *int64) {
	if w.counts(s) {
		*count++
	}
}

// stopReading leaves an answer unread for a while. It reports whether the session is
// still there.
func (w *worker) stopReading(s *session) bool {
	w.did(s, &w.stats.counts.SlowReads)
	s.deaf = true
	s.since = w.now + int64(SlowTime)
	w.wake(s, s.since)
	return w.watch(s)
}
