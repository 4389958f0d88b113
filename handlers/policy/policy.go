// Package policy says what becomes of a message when one of several filters fails, and
// tries filters out.
//
// A server answers for a handler that fails, whichever it is, with one failure status.
// With a [Policy] each handler has its own:
//
//	h = policy.Policy{
//		Name: "scanner", Timeout: 10 * time.Second,
//		OnError: policy.TempFail, OnTimeout: policy.Continue,
//	}.Apply(h)
//
// To fail is to panic, to answer [handlers.Failed], to answer what is not allowed there,
// to make a change to a message that cannot be made, or to take longer than Timeout. It
// is reported as ever; only the answer is another one:
//
//	verdict     at a stage of a message                             connect, helo
//	TempFail    451, refused for now                                the same
//	Reject      550, refused for good                               the same
//	Accept      taken, and no other handler is asked                the same
//	Continue    as if the handler were not there                    the same
//	Quarantine  as Continue, and held at the end of the message     held is the first message
//
// After Continue and Quarantine the handler is not asked again about that message. What
// it changed of a message before it failed stays changed. Quarantine is TempFail for an
// MTA that has none. Unknown commands are let pass where a message would be accepted,
// and a failure in the negotiation is answered as the server does unless things are to
// go on.
//
// [Observe] runs a handler of which nothing is to be seen but what it would have done.
package policy

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A Verdict is the answer in place of one that a handler owes.
type Verdict uint8

// The verdicts.
const (
	TempFail Verdict = iota
	Continue
	Accept
	Reject
	Quarantine
)

var verdictNames = [...]string{"tempfail", "continue", "accept", "reject", "quarantine"}

// String returns the word for v, such as "tempfail".
func (v Verdict) String() string {
	if int(v) >= len(verdictNames) {
		return "invalid"
	}
	return verdictNames[v]
}

// Parse returns the verdict of a word. ok is false if there is none.
func Parse(word string) (v Verdict, ok bool) {
	for i, name := range verdictNames {
		if name == word {
			return Verdict(i), true
		}
	}
	return 0, false
}

// A Policy is what becomes of a message when a handler fails.
type Policy struct {
	// Name is the name of the handler. No other one of the same chain may have it.
	Name string

	// Timeout is how long an answer may be pending: see [handlers.Within]. Zero is no
	// limit but that of the server.
	Timeout time.Duration

	// OnError and OnTimeout are the answers for a failure and for one that took too long.
	OnError, OnTimeout Verdict

	// Inside goes around the handler within the policy: it sees each failure as a failed
	// reply, before the policy answers in its place. Nil is nothing.
	Inside handlers.Middleware
}

// Apply returns h with the policy.
func (p Policy) Apply(h handlers.Handler) handlers.Handler {
	if p.Timeout > 0 {
		h = handlers.Within(p.Timeout, h)
	}
	g := &guard{p, "policy " + p.Name}
	if p.Inside != nil {
		h = p.Inside(handlers.Around(check)(h))
	}
	h = handlers.Around(g.ask)(h)
	if p.OnError == Quarantine || p.OnTimeout == Quarantine {
		h = handlers.Chain(h, handlers.On(g.hold))
	}
	return h
}

// guard answers for a handler that fails.
type guard struct {
	Policy
	key string // where the failure is kept on the shelf
}

// A failure is what is kept of a handler that failed, for the message.
type failure struct{ quarantine bool }

// ask has a handler answer an event, and answers if it fails.
func (g *guard) ask(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
	kind := handlers.KindOf(ev)
	if answered.Has(kind) {
		if _, failed := s.Shelf().Get(g.key); failed {
			return handlers.Reply{}
		}
	}
	m, _ := ev.(*handlers.Message)
	if m != nil && m.Err() != nil {
		return next.Handle(s, ev) // another handler has failed
	}
	code := codeOf(ev)
	r := called(next, s, ev)
	if r.Status() != protocol.StatusProgress {
		return g.settle(s, kind, code, m, r)
	}
	return r.Then(func(r handlers.Reply) handlers.Reply { return g.settle(s, kind, code, m, r) })
}

// check turns all that is a failure into a failed reply.
func check(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
	m, _ := ev.(*handlers.Message)
	if m != nil && m.Err() != nil {
		return next.Handle(s, ev) // another handler has failed
	}
	kind, code := handlers.KindOf(ev), codeOf(ev)
	failing := func(r handlers.Reply) handlers.Reply {
		if err := failed(s, kind, code, m, r); err != nil {
			return handlers.Failed(err)
		}
		return r
	}
	r := called(next, s, ev)
	if r.Status() != protocol.StatusProgress {
		return failing(r)
	}
	return r.Then(failing)
}

// called returns the reply of a handler, or a failed one if it panics.
func called(h handlers.Handler, s *handlers.Session, ev handlers.Event) (r handlers.Reply) {
	defer func() {
		if v := recover(); v != nil {
			r = handlers.Failed(&handlers.PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return h.Handle(s, ev)
}

// answered are the events of which a handler that failed is told no more.
var answered = handlers.Of(handlers.KindConnect, handlers.KindHelo, handlers.KindEnvelopeFrom,
	handlers.KindEnvelopeRecipient, handlers.KindData, handlers.KindHeader, handlers.KindEndOfHeader,
	handlers.KindBody, handlers.KindEndOfMessage, handlers.KindUnknown)

// codeOf returns the command that an event is; 0 if it is none.
func codeOf(ev handlers.Event) protocol.Code {
	switch ev := ev.(type) {
	case protocol.Command:
		return ev.Code()
	case *handlers.Message:
		return protocol.CodeEndOfMessage
	}
	return 0
}

// settle returns the answer to an event: r, or if the handler failed that of the policy.
func (g *guard) settle(s *handlers.Session, kind handlers.Kind, code protocol.Code, m *handlers.Message, r handlers.Reply) handlers.Reply {
	err := failed(s, kind, code, m, r)
	if err == nil {
		return r
	}
	err = fmt.Errorf("handler %s: %w", g.Name, err)
	verdict := g.OnError
	if errors.Is(err, handlers.ErrTimeout) {
		verdict = g.OnTimeout
	}
	switch {
	case kind == handlers.KindNegotiate && verdict != TempFail && verdict != Reject:
		return handlers.Reply{}.Reported(err)
	case !answered.Has(kind):
		return handlers.Failed(err) // no answer counts, or none but that of the server
	}
	return g.answer(verdict, s, code, m).Reported(err)
}

// failed returns why a reply is none; nil if it is one.
func failed(s *handlers.Session, kind handlers.Kind, code protocol.Code, m *handlers.Message, r handlers.Reply) error {
	var broken error
	if m != nil {
		broken = m.ClearErr()
	}
	switch {
	case r.Failed() && r.Err() == nil:
		return errors.New("it failed")
	case r.Failed():
		return r.Err()
	case broken != nil:
		return broken
	case answered.Has(kind) && !r.Status().Answers(code, s.Options().Steps):
		return &protocol.StatusError{Code: code, Status: r.Status()}
	}
	return nil
}

// answer returns a verdict as the answer to a command.
func (g *guard) answer(v Verdict, s *handlers.Session, code protocol.Code, m *handlers.Message) handlers.Reply {
	switch v {
	case Reject:
		return handlers.Reject.With(550, "5.7.1", "Message refused: a filter failed")
	case Accept:
		if protocol.StatusAccept.Answers(code, 0) {
			return handlers.Accept
		}
		return handlers.Continue
	case Continue:
		s.Shelf().Set(g.key, failure{})
		return handlers.Continue
	case Quarantine:
		if m != nil {
			return g.quarantine(m)
		}
		s.Shelf().Set(g.key, failure{quarantine: true})
		return handlers.Continue
	}
	return tempFail
}

// tempFail is the answer of TempFail.
var tempFail = handlers.TempFail.With(451, "4.7.1", "Service unavailable, try again later")

// hold quarantines a message about which the handler has failed before.
func (g *guard) hold(s *handlers.Session, m *handlers.Message) handlers.Reply {
	v, _ := s.Shelf().Get(g.key)
	if f, _ := v.(failure); f.quarantine {
		return g.quarantine(m)
	}
	return handlers.Continue
}

func (g *guard) quarantine(m *handlers.Message) handlers.Reply {
	if !m.Can(protocol.ActionQuarantine) {
		return tempFail
	}
	m.Quarantine("filter " + g.Name + " failed")
	return handlers.Continue
}
