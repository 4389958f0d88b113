package load

import (
	"sort"

	"millstream/netio/mta"
	"millstream/protocol"
)

// window is how much is written at once, at most.
const window = 64 << 10

// proceed writes what comes next: as much as an MTA writes without an answer.
func (w *worker) proceed(s *session) {
	steps := s.packets.Steps
	for s.skipping && s.step < len(steps) && s.step != s.cut && steps[s.step].Code == protocol.CodeBody {
		s.end = steps[s.step].End
		s.pos = s.end
		s.step++
	}
	switch s.step {
	case s.cut:
		w.misbehave(s)
		return
	case len(steps):
		w.greeted(s) // messages end with an answer
		return
	}
	for more := true; more && s.step < len(steps) && s.step != s.cut; s.step++ {
		step := &steps[s.step]
		s.end = step.End
		if step.Waits {
			s.await(step.Code)
			more = false
		} else if w.run.cfg.Think > 0 && isOfClient(step.Code) {
			more = false
		}
	}
	w.flush(s)
}

// isOfClient reports whether an MTA sends a command when its client has sent one.
func isOfClient(code protocol.Code) bool {
	switch code {
	case protocol.CodeConnect, protocol.CodeHelo, protocol.CodeMailFrom, protocol.CodeRcptTo, protocol.CodeData:
		return true
	}
	return false
}

// flush writes as much as there is room for. When all is written, the session waits
// for an answer, or goes on.
func (w *worker) flush(s *session) {
	s.began, s.since = w.now, w.now
	if s.slow() && s.awaiting && s.exchange.Command == protocol.CodeEndOfMessage {
		if !w.stopReading(s) {
			return
		}
	}
	w.drain(s)
}

// drain writes what is left of a turn.
func (w *worker) drain(s *session) {
	for !s.isWritten() {
		part := w.fill(s)
		n, err := write(s.fd, part)
		if err != nil {
			w.failed(s, ErrorLost, lostError(err))
			return
		}
		w.stats.counts.Sent += int64(n)
		ahead := min(n, len(s.first))
		s.first = s.first[ahead:]
		s.pos += n - ahead
		if n < len(part) {
			w.block(s, true)
			return
		}
	}
	if w.block(s, false) && !s.awaiting {
		w.goOn(s)
	}
}

// block notes whether there was no room for all. It reports whether the session is
// still there.
func (w *worker) block(s *session, blocked bool) bool {
	if s.blocked == blocked {
		return true
	}
	s.blocked = blocked
	return w.watch(s)
}

// watch has the poller tell of what a session waits for. It reports whether the
// session is still there.
func (w *worker) watch(s *session) bool {
	if err := w.poll.change(s.fd, s.slot, s.turn, !s.deaf, s.blocked); err != nil {
		w.failed(s, ErrorLost, err)
		return false
	}
	return true
}

// isWritten reports whether nothing is left of a turn.
func (s *session) isWritten() bool { return len(s.first) == 0 && s.pos == s.end }

// fill returns what is to be written at once, with the queue id of the message in its
// places.
func (w *worker) fill(s *session) []byte {
	w.out = append(w.out[:0], s.first...)
	apart := w.run.cfg.Dialect == mta.Sendmail
	if s.pos == s.end || apart && len(s.first) > 0 {
		return w.out
	}
	end := min(s.end, s.pos+window)
	if apart {
		end = min(end, s.packetEnd())
	}
	shift := len(w.out) - s.pos
	w.out = append(w.out, s.packets.Bytes[s.pos:end]...)
	ids := s.packets.IDs
	if len(ids) == 0 {
		return w.out
	}
	var id [idLength]byte
	writeID(id[:], s.id)
	for i := sort.SearchInts(ids, s.pos-idLength+1); i < len(ids) && ids[i] < end; i++ {
		from, to := max(ids[i], s.pos), min(ids[i]+idLength, end)
		copy(w.out[from+shift:to+shift], id[from-ids[i]:])
	}
	return w.out
}

// packetEnd returns where the packet ends that is written next.
func (s *session) packetEnd() int {
	steps := s.packets.Steps
	i := sort.Search(s.step, func(i int) bool { return steps[i].End > s.pos })
	if s.pos < steps[i].Command {
		return steps[i].Command
	}
	return steps[i].End
}

// goOn goes on with the dialog, after a while if the SMTP client is slow.
func (w *worker) goOn(s *session) {
	if think := w.run.cfg.Think; think > 0 && s.step > 0 && isOfClient(s.packets.Steps[s.step-1].Code) {
		w.wake(s, w.now+int64(think))
		return
	}
	w.proceed(s)
}
