package actors

import (
	"errors"
	"fmt"

	"millstream/handlers"
	"millstream/protocol"
)

// input is what has come from the MTA and is not handled yet.
type input struct {
	in      []byte // of the batch under way
	at      int    // how many bytes of in are handled
	backlog []byte // whole packets that wait behind a pending answer, before in
	scanned int    // how many bytes of backlog hold nothing that ends the wait
	bad     error  // what is wrong with the bytes after backlog
}

// take handles the packets of a read, or keeps them while an answer is pending.
func (s *session) take(b *batch) {
	size := len(b.bytes)
	s.inBytes.Add(uint64(size))
	b.taken, b.macro = size, false
	if s.deaf() {
		return
	}
	s.loop.look()
	if s.message == nil && s.unsent.bytes > 0 { // changes to a message wait by themselves
		if n := s.conn.Unsent(); n > s.gen.cfg.MaxOutbound {
			s.sys.Hit(LimitOutbound)
			s.breakOff(fmt.Errorf("%w: %d bytes of replies not read", handlers.ErrIO, n))
			return
		}
	}
	s.taps.sent(b.bytes, &s.loop.decoder, s.gen.cfg.MaxPacketSize)
	s.in, s.at = b.bytes, 0
	s.advance()
	if s.hold != holdNothing {
		s.keep()
		s.interrupt()
	}
	if !s.deaf() {
		b.taken = s.at
	}
	s.in, s.at = nil, 0
	if b.taken == 0 || s.hold != holdNothing {
		return
	}
	b.macro = b.taken == size && s.code == protocol.CodeMacro
	if s.control.Machine().State() != protocol.StateStart { // macros do not make up for an offer
		s.heard = s.loop.now()
	}
	s.idle.Store(s.loop.stamp.UnixNano())
}

// deaf reports whether what comes is of no interest any more.
func (s *session) deaf() bool { return s.bad != nil || s.ending && !s.renewed }

// packet handles the next packet. It returns false if there is none.
func (s *session) packet() bool {
	late := len(s.backlog) > 0
	src := s.in[s.at:]
	if late {
		src = s.backlog
	}
	code, body, n, err := protocol.Frame(src, s.gen.cfg.MaxPacketSize)
	switch {
	case err != nil:
		s.malformed(err, src)
		return true
	case n == 0 && s.bad != nil:
		s.malformed(s.bad, nil)
		return true
	case n == 0:
		return false
	}
	cmd, err := s.loop.decoder.Decode(code, body)
	if err != nil {
		s.malformed(err, src)
		return true
	}
	switch {
	case !s.command(code, cmd): // it comes again
	case !late:
		s.at += n
	case len(s.backlog) > n:
		s.backlog = s.backlog[n:]
	default: // that was all, or all was dropped
		s.backlog = nil
	}
	return true
}

// malformed ends the session for a packet that makes no sense, at the beginning of b.
// For a stranger no limit is to blame.
func (s *session) malformed(err error, b []byte) {
	switch {
	case s.outside():
	case errors.Is(err, protocol.ErrPacketTooLarge):
		s.sys.Hit(LimitPacketSize)
	case errors.Is(err, protocol.ErrTooMany):
		s.sys.Hit(LimitStrings)
	}
	s.failLooking(err, s.look(b))
}

// look says what a stranger seems to be that has sent bytes which are no packet. An
// MTA that has negotiated is none.
func (s *session) look(b []byte) string {
	if s.control.Machine().State() > protocol.StateStart {
		return ""
	}
	return looksLike(b)
}

// keep puts the whole packets of in behind what waits already.
func (s *session) keep() {
	for {
		_, _, n, err := protocol.Frame(s.in[s.at:], s.gen.cfg.MaxPacketSize)
		if err != nil {
			s.bad = err
		}
		if n == 0 {
			return
		}
		s.backlog = append(s.backlog, s.in[s.at:s.at+n]...)
		s.at += n
	}
}

// interrupt looks for a packet that ends the wait for a pending answer: an abort, a
// quit. What waits before it belongs to what is given up.
func (s *session) interrupt() {
	for s.hold != holdNothing {
		code, _, n, _ := protocol.Frame(s.backlog[s.scanned:], s.gen.cfg.MaxPacketSize)
		switch {
		case n == 0:
			s.flood()
			return
		case !s.preempts(code):
			s.scanned += n
		default:
			s.backlog = s.backlog[s.scanned:]
			s.scanned = 0
			if s.preempt(causeOf(code)) { // told, and waited for
				s.scanned = n
			}
			s.advance()
		}
	}
}

// last says that no more packets are taken: what waits is dropped.
func (s *session) last() {
	s.renewed = false
	s.backlog, s.scanned = nil, 0
}

// flood ends a session whose MTA does not wait for answers.
func (s *session) flood() {
	if n := len(s.backlog); n > s.gen.cfg.MaxPending {
		s.sys.Hit(LimitPending)
		s.breakOff(fmt.Errorf("%w: %d bytes behind a pending answer", protocol.ErrTooMany, n))
	}
}

// preempts reports whether a command ends the wait for the event under way. None
// does behind a quit that is waiting for a function to return: it is meant for
// what comes after that.
func (s *session) preempts(c protocol.Code) bool {
	if s.scanned > 0 && isQuit(protocol.Code(s.backlog[protocol.HeaderSize-1])) {
		return false
	}
	if c == protocol.CodeAbort {
		return s.code != protocol.CodeAbort && s.control.Machine().InMessage()
	}
	return isQuit(c)
}

func isQuit(c protocol.Code) bool {
	return c == protocol.CodeQuit || c == protocol.CodeQuitNewConnection
}

// causeOf returns the cause with which the context of an event ends at a command.
func causeOf(c protocol.Code) error {
	if c == protocol.CodeAbort {
		return handlers.ErrAborted
	}
	return handlers.ErrSessionClosed
}
