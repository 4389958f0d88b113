package actors

import (
	"log/slog"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// outcome is what an answer came to.
type outcome struct {
	protocol.Effect
	text *protocol.SMTPReply
	took time.Duration
}

// answered takes the answer to the event under way.
func (s *session) answered(r handlers.Reply) {
	if !s.split {
		s.apply(r)
		return
	}
	s.split, s.during = false, s.kind
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
	fallback := s.gen.cfg.FailureStatus
	status, text, failed := r.Status(), r.SMTP(), r.Failed()
	if r.Err() != nil {
		s.report(r.Err(), "")
	}
	changes, unsound := s.changes()
	if failed = failed || unsound; failed {
		status, text = fallback, nil
	}
	took := s.loop.stamp.Sub(s.begun)
	if s.code == protocol.CodeNegotiate { // handlers may still have a hand in that
		status = s.agree(status, failed)
	} else {
		s.control.Hold()
	}
	e, err := s.control.Apply(s.code, status, fallback, took)
	if err != nil {
		text, changes = nil, nil
		if !failed {
			s.report(err, "")
		}
	}
	if s.decides(e) {
		s.control.Decided(r.By(), text)
	}
	s.answer = outcome{e, text, took}
	if s.trail != nil {
		s.trail.answered(s.kind, &s.answer)
	}
	s.write(changes)
	s.after(e)
}

// decides reports whether an answer says what becomes of the message: it ends the message,
// or refuses a recipient, of which there may be no other. One that is given up keeps that.
func (s *session) decides(e protocol.Effect) bool {
	switch s.code {
	case protocol.CodeAbort:
		return false
	case protocol.CodeRcptTo:
		return e.Ends || e.Status == protocol.StatusReject || e.Status == protocol.StatusTempFail
	}
	return e.Ends
}

// changes ends the changes to a message, if this is the end of one, and returns
// those that were not flushed yet.
func (s *session) changes() (packets []byte, unsound bool) {
	if s.message == nil {
		return nil, false
	}
	packets, unsound, err := s.control.Conclude(s.message)
	s.message = nil
	if err != nil {
		s.report(err, "")
	}
	return packets, unsound
}

// write writes the answer to the event under way.
func (s *session) write(changes []byte) {
	switch s.code {
	case protocol.CodeNegotiate: // else it has been written
		if s.answer.Status == protocol.StatusReject {
			s.refuse()
		}
		return
	case protocol.CodeAbort: // takes no answer
		return
	case protocol.CodeEndOfMessage:
		s.drainOutlet() // what was flushed before comes first
		s.loop.out = append(s.loop.out, changes...)
		if n := cap(changes); n > 0 && n <= maxRoom {
			s.room = changes[:0]
		}
	}
	if s.answer.Answer != protocol.StatusDefault { // most packets have no answer: it costs less not to ask
		s.loop.out = protocol.AppendReply(s.loop.out, s.answer.Answer, s.answer.text)
	}
}

// after plans what follows an answer.
func (s *session) after(e protocol.Effect) {
	s.during = 0
	s.skipped = !e.Ends && (s.skipped || e.Status == protocol.StatusSkip)
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

// processed tells what became of a message, when its answer has been written.
func (s *session) processed() {
	s.messages.Add(1)
	if o, ok := s.control.Outcome(); ok { // nothing is processed that was not counted
		s.cut(&o)
		if s.trail != nil {
			s.flush()
			s.trail.processed(&o)
		}
	}
	if s.wants.Events.Has(handlers.KindMessageProcessed) {
		s.flush()
		s.tell(s.control.Result(s.loop.stamp))
	}
}

// cut tells of a message of which not everything is in its result.
func (s *session) cut(o *handlers.Outcome) {
	if !o.HeadersCut && !o.RecipientsCut {
		return
	}
	if o.HeadersCut {
		s.sys.Hit(LimitResultHeaders)
	}
	if o.RecipientsCut {
		s.sys.Hit(LimitResultRecipients)
	}
	s.log(slog.LevelInfo, "message has more than is kept for its result",
		slog.Bool("headers", o.HeadersCut), slog.Bool("recipients", o.RecipientsCut))
}

func (s *session) endMessage() {
	s.control.EndMessage(s.next)
	if s.trail != nil {
		s.trail.ended()
	}
}
