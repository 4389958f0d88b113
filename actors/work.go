package actors

import (
	"slices"

	"millstream/handlers"
	"millstream/protocol"
)

// work is what a session has in hand, from what it is told of until all is answered and
// the MTA has taken the answers. A loop lends it, so that the many sessions that do
// nothing keep none.
type work struct {
	input
	turn
	waiting
	unsent unsent
	plan   []task             // what is still to be done before the next packet, last first
	room   []byte             // where the changes to the next message are gathered; the message has it while it ends
	faults []handlers.Failure // errors that handlers are still to be told of
	why    error              // why the connection ends
	next   protocol.Code      // the command that gave up the last message
}

// task is one stage of what a session has to do.
type task func(*session)

// maxRoom is how many bytes are kept for the changes to the next message.
const maxRoom = 4 << 10

// maxSpare is how many works a loop keeps that no session has in hand. While answers
// are pending each session has one of its own.
const maxSpare = 64

// takeUp has the loop lend s a work, if it has none in hand.
func (s *session) takeUp() {
	if s.work != nil {
		return
	}
	spare := &s.loop.spare
	if n := len(*spare); n > 0 {
		s.work, *spare = (*spare)[n-1], (*spare)[:n-1]
		return
	}
	s.work = new(work)
}

// layDown gives the work of s back, if it is done.
func (s *session) layDown() {
	w := s.work
	if !s.removed && (s.hold != holdNothing || !w.done()) {
		return
	}
	s.work = nil
	if spare := &s.loop.spare; len(*spare) < maxSpare {
		*w = work{plan: w.plan[:0], room: w.room}
		*spare = append(*spare, w)
	}
}

// done reports whether there is nothing to come back to.
func (w *work) done() bool {
	return w.unsent.bytes == 0 && len(w.plan) == 0 && len(w.backlog) == 0 && w.bad == nil && len(w.faults) == 0
}

// do puts tasks before what is still to be done, the first one first.
func (s *session) do(tasks ...task) {
	for _, t := range slices.Backward(tasks) {
		s.plan = append(s.plan, t)
	}
}

// advance does what is to be done, and then takes packets, until it has to wait.
func (s *session) advance() {
	defer s.control.Release()
	for s.hold == holdNothing {
		if n := len(s.plan); n > 0 {
			t := s.plan[n-1]
			s.plan = s.plan[:n-1]
			s.control.Release()
			t(s)
			continue
		}
		if !s.ending && s.packet() {
			continue
		}
		if !s.catchUp() {
			return
		}
	}
}
