package actors

import (
	"log/slog"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// turn is the event under way, from a command to its answer.
type turn struct {
	code        protocol.Code // of the command last handled
	kind        handlers.Kind // of the event that it is
	during      handlers.Kind // of the event that handlers are told of, or wait for; 0 between events
	event       *handlers.Session
	message     *handlers.Message     // at the end of a message
	negotiation *handlers.Negotiation // if a handler takes it
	offer       protocol.Options      // in a negotiation
	split       bool                  // the last piece of the body is told before the end of the message
	begun       time.Time
	timeless    bool // the time of the last handlers is not taken yet
	answer      outcome
}

// command handles one command. It returns false if the command has given up a
// message, and has to come again when that is done with.
func (s *session) command(code protocol.Code, cmd protocol.Command) bool {
	s.control.Hold()
	if m, ok := cmd.(*protocol.Macro); ok { // every other packet is one
		s.code = code
		s.define(m)
		return true
	}
	turn, err := s.control.Receive(cmd, s.loop.stamp)
	if err != nil {
		s.fail(err)
		return true
	}
	if turn.Aborts != protocol.StateInvalid {
		s.next = code
		s.abort(turn.Aborts)
		return code == protocol.CodeAbort
	}
	s.code = code
	if turn.Begins && s.trail != nil {
		s.trail.begin(s.loop.stamp)
	}
	switch {
	case turn.Pending:
		s.next = 0
		s.ask(cmd)
	case isQuit(code):
		s.renewed = code == protocol.CodeQuitNewConnection
		s.finish(nil)
	case code == protocol.CodeAbort:
		s.control.EndMessage(0)
	default:
		s.loop.out = protocol.AppendReply(s.loop.out, turn.Answer, nil)
	}
	return true
}

// define takes macros, and tells of them.
func (s *session) define(m *protocol.Macro) {
	s.control.Define(m)
	switch {
	case !m.Stage.HasMacros():
		s.log(slog.LevelDebug, "macros for a command that has none", slog.String("command", m.Stage.String()))
	case s.wants.Events.Has(handlers.KindMacro):
		s.tell(m)
	}
}

// abort tells of the end of a message that is given up.
func (s *session) abort(state protocol.State) {
	s.code = protocol.CodeAbort
	s.begin(handlers.KindAbort)
	if !s.wants.Events.Has(s.kind) {
		s.apply(handlers.Reply{})
		return
	}
	s.call(&handlers.Abort{State: state, Err: s.why})
}

// ask asks the handlers about a command.
func (s *session) ask(cmd protocol.Command) {
	s.begin(handlers.KindFor(s.code))
	var ev handlers.Event = cmd
	switch c := cmd.(type) {
	case *protocol.Negotiate:
		s.control.Release()
		s.offer = c.Offer
		if c.Offer.Version < protocol.MinVersion {
			s.fail(&protocol.NegotiationError{Offer: c.Offer, Err: protocol.ErrVersionTooOld})
			return
		}
		if s.wants.Events.Has(s.kind) {
			s.negotiation = s.control.Negotiation(c.Offer.Normal(), s.request())
			ev = s.negotiation
		}
	case *protocol.EndOfMessage:
		ev = s.endOfMessage(c)
	}
	if !s.split && !s.wants.Events.Has(s.kind) {
		s.apply(handlers.Reply{})
		return
	}
	s.call(ev)
}

// begin makes an event of a kind the one under way.
func (s *session) begin(kind handlers.Kind) {
	s.kind, s.during = kind, kind
	s.number++
	s.begun = s.loop.stamp
}

// endOfMessage makes the event at the end of a message, and returns the first one
// to be told.
func (s *session) endOfMessage(c *protocol.EndOfMessage) handlers.Event {
	chunk := c.Chunk
	if s.split = s.splits(chunk); s.split {
		chunk = nil
	}
	if s.wants.Events.Has(s.kind) {
		if s.outlet == nil {
			s.outlet = newOutlet(s.gen.cfg.MaxOutbound)
		}
		s.message = s.control.Message(chunk.Clone(), s, s.room)
		s.room = nil
	}
	if s.split {
		s.during = handlers.KindBody
		return &protocol.Body{Chunk: c.Chunk}
	}
	return s.message
}

// splits reports whether a last piece of the body is to be told as such.
func (s *session) splits(chunk protocol.View) bool {
	return s.gen.cfg.SplitFinalChunk && chunk != nil && !s.skipped && s.wants.Events.Has(handlers.KindBody)
}
