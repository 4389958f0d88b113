package load

import (
	"bytes"
	"fmt"

	"millstream/netio/mta"
	"millstream/protocol"
)

// input reads and judges what has come.
func (w *worker) input(s *session) {
	have := copy(w.in, s.rest)
	n, err := read(s.fd, w.in[have:])
	w.clock()
	switch {
	case isFull(err):
		return
	case err != nil:
		w.failed(s, ErrorLost, lostError(err))
		return
	case n == 0 && have > 0:
		w.failed(s, ErrorLost, lostError(protocol.ErrUnexpectedEnd))
		return
	case n == 0:
		w.failed(s, ErrorLost, s.endError())
		return
	}
	w.stats.counts.Received += int64(n)
	b, turn := w.in[:have+n], s.turn
	for s.turn == turn {
		code, body, n, err := protocol.Frame(b, protocol.DefaultMaxPacketSize)
		if err != nil {
			w.failed(s, ErrorProtocol, err)
			return
		}
		if n == 0 {
			s.rest = append(s.rest[:0], b...)
			if len(b) == len(w.in) {
				w.in = make([]byte, 2*len(w.in))
			}
			return
		}
		b = b[n:]
		w.packet(s, code, body, len(b))
	}
}

// packet judges one packet, with more bytes behind it.
func (w *worker) packet(s *session, code protocol.Code, body protocol.View, more int) {
	if s.phase == offering && code == protocol.CodeNegotiate && s.awaiting && more == 0 {
		if d := w.dialog; d != nil && bytes.Equal(d.answer, body) { // nothing new
			s.awaiting = false
			w.agreed(s, d)
			return
		}
	}
	a, err := protocol.DecodeAnswer(code, body)
	if err == nil && (!s.awaiting || !s.isWritten()) {
		err = fmt.Errorf("%w: %v answers nothing", protocol.ErrProtocol, code)
	}
	var final bool
	if err == nil {
		final, err = s.exchange.Answer(s.terms(), &a)
	}
	switch {
	case err != nil:
		w.failed(s, ErrorProtocol, err)
	case !final:
		s.since = w.now
		if code != protocol.CodeProgress {
			w.change(s, &a)
		}
	case more > 0:
		w.failed(s, ErrorProtocol, errBeside(more, s.exchange.Command.String()))
	case s.phase == offering:
		s.awaiting = false
		w.conclude(s, &a, body)
	default:
		s.awaiting = false
		w.answered(s, &a)
	}
}

var noTerms mta.Terms

// terms returns what was agreed on.
func (s *session) terms() *mta.Terms {
	if s.dialog == nil {
		return &noTerms
	}
	return &s.dialog.terms
}

// conclude ends the negotiation.
func (w *worker) conclude(s *session, a *protocol.Answer, body []byte) {
	d, err := w.run.dialogs.find(body, a)
	if err != nil {
		w.failed(s, ErrorOffer, err)
		return
	}
	w.dialog = d
	w.agreed(s, d)
}

// change notes a change to the message.
func (w *worker) change(s *session, a *protocol.Answer) {
	if w.counts(s) {
		w.stats.counts.Changes++
	}
	if a.Code != protocol.CodeAddHeader && a.Code != protocol.CodeInsertHeader {
		return
	}
	for i, name := range w.run.cfg.Expect {
		if a.Name.EqualFold(name) {
			s.found |= 1 << i
		}
	}
}

// answered goes on after the answer to a command.
func (w *worker) answered(s *session, a *protocol.Answer) {
	command, status := s.exchange.Command, a.Status()
	if s.mischief == none && w.counts(s) {
		w.stats.took(placeOf[command], w.now-s.began)
	}
	switch {
	case command == protocol.CodeUnknown: // whatever it is, it ends nothing
		w.goOn(s)
	case command == protocol.CodeEndOfMessage:
		w.settle(s, command, status)
	case command == protocol.CodeRcptTo:
		w.recipient(s, status)
	case status.IsPass():
		w.goOn(s)
	case status == protocol.StatusSkip:
		s.skipping = true
		w.goOn(s)
	default:
		w.settle(s, command, status)
	}
}

// recipient goes on after the answer to a recipient: one at least must be taken.
func (w *worker) recipient(s *session, status protocol.Status) {
	steps := s.packets.Steps
	switch status {
	case protocol.StatusReject, protocol.StatusTempFail:
		if w.counts(s) {
			w.stats.counts.Refused++
		}
		if last := s.step == len(steps) || steps[s.step].Code != protocol.CodeRcptTo; last && !s.good {
			w.settle(s, protocol.CodeRcptTo, status)
			return
		}
	case protocol.StatusAccept, protocol.StatusDiscard:
		w.settle(s, protocol.CodeRcptTo, status)
		return
	default:
		s.good = true
	}
	w.goOn(s)
}

// settle ends a message with its verdict. A verdict on the client is one on its first
// message, and then it goes.
func (w *worker) settle(s *session, command protocol.Code, status protocol.Status) {
	ofClient := s.phase == greeting
	if s.holds {
		w.greeted(s)
		return
	}
	if command != protocol.CodeEndOfMessage && !ofClient {
		s.first = abortPacket
	}
	if w.counts(s) {
		w.note(s, command, status)
	}
	w.drop(s)
	if ofClient {
		w.leave(s)
	}
	w.next(s)
}

// note counts a message that has its verdict.
func (w *worker) note(s *session, command protocol.Code, status protocol.Status) {
	w.stats.counts.Messages++
	w.stats.verdicts[status]++
	if s.mischief == none {
		w.stats.took(messagePlace, w.now-s.due)
	}
	taken := status.IsPass() || status == protocol.StatusAccept
	if missing := w.run.expected &^ s.found; taken && missing != 0 && command == protocol.CodeEndOfMessage {
		w.stats.failed(w.measured(), ErrorExpected, w.run.missing(missing))
	}
}

// errBeside is the error for bytes that came beside the answer to a command.
func errBeside(n int, command string) error {
	return fmt.Errorf("%w: %d bytes beside the answer to %s", protocol.ErrProtocol, n, command)
}

// lostError says that a connection broke.
func lostError(err error) error { return fmt.Errorf("milter: connection lost: %w", err) }

// endError says what the milter owed when it closed the connection.
func (s *session) endError() error {
	if s.awaiting {
		return fmt.Errorf("milter: connection closed in place of the answer to %v", s.exchange.Command)
	}
	return errClosed
}
