package load

import (
	"millstream/netio/mta"
	"millstream/protocol"
)

// A phase is what a session is about.
type phase uint8

const (
	closed   phase = iota // no connection
	knocking              // the milter has no room for one yet
	opening               // a connection is under way
	offering              // the milter has the offer
	greeting              // it hears of the client
	free                  // it waits for a message
	sending               // it hears of a message
	held                  // it waits for nothing
)

// A session is an MTA's connection to the milter, and the next one after that. It
// belongs to one worker.
type session struct {
	fd    int
	slot  int    // in the worker
	turn  uint32 // counts connections: events and timers of an old one are void
	phase phase
	holds bool // never sends a message
	rests bool // after an error

	pool  *pool // in which it waits for a message; nil for none
	place int   // there

	opened  int64 // when the connection was begun
	backoff int64 // how long the last error has kept it from trying again
	left    int   // messages that the connection takes yet, if that has a limit
	dialog  *dialog
	rest    []byte // of a packet that came in part

	// What is written: first a small packet, then packets up to end.
	first    []byte
	packets  *mta.Packets
	pos, end int
	step     int  // the next one to be written
	blocked  bool // there was no room for all

	awaiting bool
	deaf     bool // what comes is left unread
	exchange mta.Exchange
	began    int64 // when the turn was written
	since    int64 // the last sign of life, or the beginning of the wait for one

	message
}

// A message is what a session knows of the one that it sends.
type message struct {
	claimed  bool  // there is one
	due      int64 // when it was meant to begin
	id       uint64
	skipping bool   // the milter has enough of the body
	good     bool   // a recipient was taken
	found    uint64 // which of the expected headers have come, as bits
	mischief mischief
	cut      int // the step before which mischief is done; -1 for none
}

// Packets that are always the same.
var (
	quitPacket    = (&protocol.Quit{}).Append(nil)
	abortPacket   = (&protocol.Abort{}).Append(nil)
	unknownPacket = (&protocol.Unknown{Line: protocol.View("XPING")}).Append(nil)
)

// start connects. While the milter has not accepted the connections before, it is
// called again.
func (w *worker) start(s *session) {
	s.turn++
	fd, underWay, err := w.target.connect()
	if isFull(err) {
		s.phase = knocking
		w.wake(s, w.now+retryAfter)
		return
	}
	if err == nil {
		s.fd = fd
		err = w.poll.add(fd, s.slot, s.turn, underWay)
	}
	if err != nil {
		w.failed(s, ErrorConnect, err)
		return
	}
	s.left = w.run.cfg.Reuse
	s.rest, s.first, s.blocked = s.rest[:0], nil, underWay
	s.since = w.now
	s.phase = opening
	if !underWay {
		w.offer(s)
	}
}

// offer begins the negotiation.
func (w *worker) offer(s *session) {
	s.phase = offering
	s.dialog, s.packets, s.pos, s.end = nil, nil, 0, 0
	s.first = w.run.offer
	s.await(protocol.CodeNegotiate)
	w.flush(s)
}

// play begins to write packets.
func (s *session) play(p *mta.Packets) {
	s.packets, s.pos, s.end, s.step = p, 0, 0, 0
}

// await has the session wait for the answer to a command.
func (s *session) await(code protocol.Code) {
	s.awaiting = true
	s.exchange = mta.Exchange{Command: code}
}

// agreed goes on with the greeting when there is an agreement.
func (w *worker) agreed(s *session, d *dialog) {
	s.dialog, s.backoff = d, 0
	w.run.everOpened.Store(true)
	if s.opened >= w.from { // not in the warm-up
		w.stats.counts.Sessions++
		w.stats.took(sessionPlace, w.now-s.opened)
	}
	s.phase = greeting
	s.cut, s.skipping, s.mischief = -1, false, none
	s.play(d.greeting)
	w.proceed(s)
}

// greeted goes on when the milter knows of the client.
func (w *worker) greeted(s *session) {
	if s.holds {
		s.phase = held
		w.run.holding.Add(1)
		return
	}
	if s.claimed {
		w.begin(s)
		return
	}
	s.phase = free
	w.feed(s)
}

// begin begins the message that was claimed.
func (w *worker) begin(s *session) {
	s.phase = sending
	w.nextID++
	s.id, s.skipping, s.good, s.found = w.nextID, false, false, 0
	s.play(s.dialog.message(&w.run.cfg, w.random.IntN(len(w.run.cfg.Mails))))
	w.plan(s)
	w.proceed(s)
}

// leave ends a connection as MTAs do.
func (w *worker) leave(s *session) {
	if n, err := read(s.fd, w.in); err == nil && n > 0 {
		w.stats.failed(w.measured(), ErrorProtocol, errBeside(n, "quit"))
	}
	w.out = append(w.out[:0], s.first...)
	if len(w.out) > 0 && w.run.cfg.Dialect == mta.Sendmail { // each packet apart
		w.part(s)
		w.out = w.out[:0]
	}
	w.out = append(w.out, quitPacket...)
	w.part(s)
	w.close(s, false)
}

// part writes the last words to a milter, which may be gone already.
func (w *worker) part(s *session) {
	n, _ := write(s.fd, w.out)
	w.stats.counts.Sent += int64(n)
}

// close closes a connection.
func (w *worker) close(s *session, reset bool) {
	if s.phase == held {
		w.run.holding.Add(-1)
	}
	if s.fd >= 0 {
		closeSocket(s.fd, reset)
	}
	s.fd = -1
	s.turn++
	s.phase, s.awaiting, s.blocked, s.deaf, s.first = closed, false, false, false, nil
}

// failed ends a session with an error, and begins it again after a while.
func (w *worker) failed(s *session, kind string, err error) {
	w.stats.failed(w.measured(), kind, err)
	w.run.troubled(err)
	w.close(s, false)
	w.drop(s)
	s.unpool()
	if !s.holds {
		s.rests = true
		w.active--
	}
	s.backoff = min(max(2*s.backoff, firstBackoff), lastBackoff)
	w.wake(s, w.now+s.backoff)
}

// drop gives up the message of a session.
func (w *worker) drop(s *session) {
	if s.claimed {
		s.claimed = false
		w.inFlight--
	}
}
