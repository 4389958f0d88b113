package handlertest

import (
	"context"
	"fmt"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// turn is the event under way, from a command to its answer.
type turn struct {
	code        protocol.Code // of the command last handled
	kind        handlers.Kind // of the event that it is
	during      handlers.Kind // of the event that the handler is told of; 0 between events
	next        protocol.Code // the command that gave up the last message
	begun       time.Time
	offer       protocol.Options
	negotiation *handlers.Negotiation
	message     *handlers.Message
}

// command handles one command.
func (s *Session) command(cmd protocol.Command) {
	s.t.Helper()
	code := cmd.Code()
	t := s.receive(cmd)
	if t.Aborts != protocol.StateInvalid {
		s.next = code
		s.abort(&handlers.Abort{State: t.Aborts})
		if code == protocol.CodeAbort {
			return
		}
		t = s.receive(cmd) // now that the message is gone
	}
	s.code = code
	switch {
	case t.Pending:
		s.next = 0
		s.ask(cmd)
	case code == protocol.CodeMacro:
		if cmd.(*protocol.Macro).Stage.HasMacros() {
			s.tell(cmd)
		}
	case code == protocol.CodeQuit:
		s.finish(nil, nil)
	case code == protocol.CodeQuitNewConnection:
		s.finish(nil, nil)
		s.ended = false
		s.control.Renew()
		s.establish()
	case code == protocol.CodeAbort:
		s.control.EndMessage(0)
	default: // handlers are not told
		s.outcome.Status = t.Answer
		s.outcome.Packets = protocol.AppendReply(s.outcome.Packets, t.Answer, nil)
	}
}

// receive moves the session on by a command.
func (s *Session) receive(cmd protocol.Command) protocol.Turn {
	s.t.Helper()
	t, err := s.control.Receive(cmd, time.Now())
	if err != nil {
		s.t.Fatalf("handlertest: %v", err)
	}
	return t
}

// give gives up the message under way for a reason.
func (s *Session) give(a *handlers.Abort) {
	s.t.Helper()
	if !s.control.Machine().InMessage() {
		s.t.Fatalf("handlertest: abort without a message, in state %v", s.control.Machine().State())
	}
	s.next = 0
	t := s.receive(&protocol.Abort{})
	s.abort(&handlers.Abort{State: t.Aborts, Err: a.Err})
}

// abort tells of the end of a message that is given up.
func (s *Session) abort(a *handlers.Abort) {
	s.code = protocol.CodeAbort
	s.begin(handlers.KindAbort)
	s.answer(a)
}

// begin makes an event of a kind the one under way.
func (s *Session) begin(kind handlers.Kind) { s.kind, s.during, s.begun = kind, kind, time.Now() }

// ask asks the handler about a command.
func (s *Session) ask(cmd protocol.Command) {
	s.begin(handlers.KindFor(s.code))
	var ev handlers.Event = cmd
	switch c := cmd.(type) {
	case *protocol.Negotiate:
		s.offer = c.Offer
		if c.Offer.Version < protocol.MinVersion {
			s.refused = &protocol.NegotiationError{Offer: c.Offer, Err: protocol.ErrVersionTooOld}
			s.report(s.refused)
			s.finish(s.refused, nil)
			return
		}
		s.negotiation = s.control.Negotiation(c.Offer.Normal(), s.request())
		ev = s.negotiation
	case *protocol.EndOfMessage:
		s.message = s.control.Message(c.Chunk.Clone(), &s.flushed, nil)
		ev = s.message
	}
	s.answer(ev)
}

// answer gets the answer to an event and makes it take effect.
func (s *Session) answer(ev handlers.Event) {
	var r handlers.Reply
	if s.wants.Events.Has(s.kind) {
		r = s.call(ev)
	}
	s.apply(r)
}

// call calls the handler and waits for what it answers.
func (s *Session) call(ev handlers.Event) handlers.Reply {
	event := s.control.Begin(context.Background())
	r := s.control.Call(s.handler, event, ev)
	s.giveBack(ev)
	for r.Status() == protocol.StatusProgress {
		next := make(chan func() handlers.Reply, 1)
		s.control.Run(event, r, func(f func()) { go f() }, func(f func() handlers.Reply) { next <- f })
		r = (<-next)()
	}
	return r
}

// apply makes an answer take effect, and tells of all that follows from it.
func (s *Session) apply(r handlers.Reply) {
	const failure = protocol.StatusTempFail
	status, text, failed := r.Status(), r.SMTP(), r.Failed()
	if r.Err() != nil {
		s.report(r.Err())
	}
	changes, unsound := s.conclude(failed || !status.Answers(s.code, protocol.StepNoReplyMask))
	if failed = failed || unsound; failed {
		status, text = failure, nil
	}
	if s.code == protocol.CodeNegotiate {
		status = s.agree(status, failed)
	}
	took := time.Since(s.begun)
	e, err := s.control.Apply(s.code, status, failure, took)
	if err != nil {
		text = nil
		if !failed {
			s.report(err)
		}
	}
	if e.Ends {
		s.control.Decided(r.By(), text)
	}
	s.write(e, text, changes)
	s.during = 0
	s.tellFaults()
	s.respond(e, text, took)
	if e.Ends {
		s.processed()
	}
	if s.refused != nil {
		s.finish(s.refused, nil)
	}
}

// conclude ends the changes to the message whose end is under way, if any. Those
// that were flushed are written, whatever the answer; the others are returned. Where
// the failure status is to answer, there are none.
func (s *Session) conclude(failed bool) (changes []byte, unsound bool) {
	if s.message == nil {
		return nil, false
	}
	changes, unsound, err := s.control.Conclude(s.message)
	s.message = nil
	if err != nil {
		s.report(err)
	}
	s.outcome.Packets = append(s.outcome.Packets, s.flushed.take()...)
	if failed || unsound {
		return nil, unsound
	}
	return changes, false
}

// write writes the answer to the event under way.
func (s *Session) write(e protocol.Effect, text *protocol.SMTPReply, changes []byte) {
	if o := &s.outcome; s.kind == o.Event {
		o.Status = e.Status
		if text != nil {
			o.Text = text.String()
		}
	}
	out := &s.outcome.Packets
	switch s.code {
	case protocol.CodeNegotiate:
		if s.refused != nil {
			*out = protocol.AppendReply(*out, protocol.StatusReject, nil)
		} else {
			*out = s.agreed.Append(*out)
		}
	case protocol.CodeAbort: // takes no answer
	default:
		*out = protocol.AppendReply(append(*out, changes...), e.Answer, text)
	}
}

// request is what is asked of the MTA, as it follows from the handler.
func (s *Session) request() protocol.Request {
	return protocol.Request{Actions: s.offer.Normal().Actions, Steps: s.wants.Steps()}
}

// agree ends a negotiation that is answered with a status, and returns what the answer
// comes to.
func (s *Session) agree(status protocol.Status, failed bool) protocol.Status {
	n, req := s.negotiation, s.request()
	s.negotiation = nil
	if s.wants.Events.Has(handlers.KindNegotiate) {
		req = s.control.Request(n, status)
	}
	if failed {
		status = protocol.StatusReject
	}
	if status == protocol.StatusReject || !status.Answers(protocol.CodeNegotiate, 0) {
		s.refused = errRefused
		return status
	}
	if s.agreed, s.refused = protocol.Agree(s.offer, req); s.refused != nil {
		s.report(s.refused)
		return protocol.StatusReject
	}
	s.control.Agree(s.agreed)
	return status
}

var errRefused = fmt.Errorf("%w: the handler refused", protocol.ErrNegotiation)
