package actors

import (
	"context"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// turn is the event under way, from a command to its answer.
type turn struct {
	code        protocol.Code // of the command last handled
	kind        handlers.Kind // of the event last told
	event       *handlers.Session
	message     *handlers.Message     // at the end of a message
	negotiation *handlers.Negotiation // if a handler takes it
	offer       protocol.Options      // in a negotiation
	split       bool                  // the last piece of the body is told before the end of the message
	begun       time.Time
	answer      outcome
}

// outcome is what an answer came to.
type outcome struct {
	protocol.Effect
	text *protocol.SMTPReply
	took time.Duration
}

// command handles one command. It returns false if the command has given up a
// message, and has to come again when that is done with.
func (s *session) command(cmd protocol.Command) bool {
	code := cmd.Code()
	turn, err := s.control.Receive(cmd, s.loop.stamp)
	if err != nil {
		s.failLooking(err, "")
		return true
	}
	if turn.Aborts != protocol.StateInvalid {
		s.next = code
		s.abort(turn.Aborts)
		return code == protocol.CodeAbort
	}
	s.code = code
	switch {
	case turn.Pending:
		s.next = 0
		s.ask(cmd)
	case code == protocol.CodeMacro:
		if s.wants.Events.Has(handlers.KindMacro) && cmd.(*protocol.Macro).Stage.HasMacros() {
			s.tell(cmd)
		}
	case code == protocol.CodeQuit:
		s.finish(nil)
	case code == protocol.CodeQuitNewConnection:
		s.renewed = true
		s.finish(nil)
	case code == protocol.CodeAbort:
		s.control.EndMessage(0)
	default:
		s.loop.out = protocol.AppendReply(s.loop.out, turn.Answer, nil)
	}
	return true
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
	wanted := s.wants.Events.Has(s.kind)
	var ev handlers.Event = cmd
	switch c := cmd.(type) {
	case *protocol.Negotiate:
		s.offer = c.Offer
		if c.Offer.Version < protocol.MinVersion {
			s.fail(&protocol.NegotiationError{Offer: c.Offer, Err: protocol.ErrVersionTooOld})
			return
		}
		if wanted {
			s.negotiation = s.control.Negotiation(c.Offer.Normal(), s.request())
			ev = s.negotiation
		}
	case *protocol.EndOfMessage:
		if wanted {
			ev = s.endOfMessage(c)
		}
		if s.split = s.splits(c); s.split {
			s.kind, ev, wanted = handlers.KindBody, &protocol.Body{Chunk: c.Chunk}, true
		}
	}
	if !wanted {
		s.apply(handlers.Reply{})
		return
	}
	s.call(ev)
}

// begin makes an event of a kind the one under way.
func (s *session) begin(kind handlers.Kind) {
	s.kind = kind
	s.number++
	s.begun = s.loop.stamp
}

// endOfMessage makes the event at the end of a message.
func (s *session) endOfMessage(c *protocol.EndOfMessage) *handlers.Message {
	if s.outlet == nil {
		s.outlet = newOutlet(s.sys.cfg.MaxOutbound)
	}
	s.message = s.control.Message(c.Chunk.Clone(), s)
	return s.message
}

// splits reports whether the last piece of the body is to be told as such.
func (s *session) splits(c *protocol.EndOfMessage) bool {
	return s.sys.cfg.SplitFinalChunk && c.Chunk != nil && s.wants.Events.Has(handlers.KindBody)
}

// call asks the handlers about an event with an answer.
func (s *session) call(ev handlers.Event) {
	if s.late(ev, (*session).callHeld, false) {
		return
	}
	r := s.inline(ev)
	if r.Status() == protocol.StatusProgress {
		s.await(holdAnswer, r)
		return
	}
	s.answered(r)
}

// callHeld asks about an event that had to wait.
func (s *session) callHeld() {
	ev := s.held
	s.held = nil
	if s.worker {
		s.answered(handlers.Failed(handlers.ErrTimeout))
		return
	}
	s.call(ev)
}

// tell tells the handlers of an event without an answer.
func (s *session) tell(ev handlers.Event) {
	if s.stuck && s.worker || s.late(ev, (*session).tellHeld, true) {
		return
	}
	s.number++
	s.begun = s.loop.stamp
	r := s.inline(ev)
	if r.Status() == protocol.StatusProgress {
		s.await(holdTold, r)
		return
	}
	s.observed(ev, r)
}

// tellHeld tells of an event that had to wait.
func (s *session) tellHeld() {
	ev := s.held
	s.held = nil
	s.tell(ev)
}

// observed reports a handler that failed when it was told of an event. One that
// fails when it is told of a failure would do so for ever.
func (s *session) observed(ev handlers.Event, r handlers.Reply) {
	if !r.Failed() {
		return
	}
	s.report(r.Err(), "")
	if _, ok := ev.(*handlers.Failure); ok {
		s.faults = s.faults[:max(0, len(s.faults)-1)]
	}
	s.do((*session).tellFaults)
}

// inline calls the handlers on the event loop.
func (s *session) inline(ev handlers.Event) handlers.Reply {
	s.event = s.control.Begin(context.Background())
	r := s.control.Call(s.handler, s.event, ev)
	before := s.loop.stamp
	s.loop.stamp = time.Now()
	took := s.loop.stamp.Sub(before)
	if slow := s.sys.cfg.SlowInline; slow > 0 && took > slow {
		s.report(&handlers.SlowError{Event: handlers.KindOf(ev), Took: took}, "")
	}
	return r
}

// answered takes the answer to the event under way.
func (s *session) answered(r handlers.Reply) {
	if !s.split {
		s.apply(r)
		return
	}
	s.split, s.kind = false, handlers.KindEndOfMessage
	switch r.Status() {
	case protocol.StatusAccept, protocol.StatusReject, protocol.StatusDiscard, protocol.StatusTempFail:
		s.apply(r)
		return
	}
	if s.message == nil {
		s.apply(handlers.Reply{})
		return
	}
	s.call(s.message)
}

// apply makes the answer to the event under way take effect, and writes it.
func (s *session) apply(r handlers.Reply) {
	cfg := &s.sys.cfg
	status, text, failed := r.Status(), r.SMTP(), r.Failed()
	if r.Err() != nil {
		s.report(r.Err(), "")
	}
	var changes []byte
	if s.message != nil {
		var err error
		var unsound bool
		changes, unsound, err = s.control.Conclude(s.message)
		s.message = nil
		if err != nil {
			s.report(err, "")
		}
		failed = failed || unsound
	}
	if failed {
		status, text = cfg.FailureStatus, nil
	}
	took := s.loop.stamp.Sub(s.begun)
	e, err := s.control.Apply(s.code, status, cfg.FailureStatus, took)
	if err != nil {
		text, changes = nil, nil
		if !failed {
			s.report(err, "")
		}
	}
	if failed {
		changes = nil
	}
	s.answer = outcome{e, text, took}
	s.write(changes)
	s.after(e)
}

// write writes the answer to the event under way.
func (s *session) write(changes []byte) {
	a := &s.answer
	switch s.code {
	case protocol.CodeNegotiate:
		s.agree()
		return
	case protocol.CodeEndOfMessage:
		s.drainOutlet() // what was flushed before comes first
		s.loop.out = append(s.loop.out, changes...)
	case protocol.CodeAbort:
		return
	}
	s.loop.out = protocol.AppendReply(s.loop.out, a.Answer, a.text)
}

// after plans what follows an answer.
func (s *session) after(e protocol.Effect) {
	if e.Ends {
		s.do((*session).processed, (*session).endMessage)
	}
	if s.wants.Events.Has(handlers.KindResponse) {
		s.do((*session).respond)
	}
	if s.faults != nil {
		s.do((*session).tellFaults)
	}
}

// respond tells of the answer to the event under way.
func (s *session) respond() {
	a := &s.answer
	r := &s.loop.told
	*r = handlers.Response{To: s.kind, Status: a.Status, Took: a.took}
	switch {
	case a.Answer == protocol.StatusDefault || s.code == protocol.CodeAbort:
		r.Silent = true
	case a.text != nil && a.text.Suits(a.Answer):
		r.Text = a.text
	}
	s.tell(r)
}

// processed tells what became of a message.
func (s *session) processed() {
	s.messages.Add(1)
	if s.wants.Events.Has(handlers.KindMessageProcessed) {
		s.tell(s.control.Result(s.loop.stamp))
	}
}

func (s *session) endMessage() { s.control.EndMessage(s.next) }
