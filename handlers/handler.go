package handlers

import (
	"fmt"

	"millstream/protocol"
)

// An Event is what a [Handler] is told of: one of the types of [Observed].
type Event any

// A Handler takes part in sessions. It is made by [Go], [On] and [Observe], or
// written by hand for middleware.
type Handler interface {
	// Handle answers one event. The Views of ev are borrowed until it returns.
	Handle(s *Session, ev Event) Reply

	// Wants returns the events that Handle is to be told of. It is asked before
	// the negotiation, and by Chain and Blocking when they are made: it does not
	// change.
	Wants() Wants
}

// Wants says which events a handler takes, and which of them it answers. Work that
// leaves the event loop counts as an answer: the MTA's wait is what keeps it from
// being flooded.
type Wants struct{ Events, Replies Kinds }

// or returns what either of w and v wants.
func (w Wants) or(v Wants) Wants {
	return Wants{w.Events | v.Events, w.Replies | v.Replies}
}

// Steps returns what is asked of the MTA for w: not to send what is not taken, not
// to wait for what is not answered, and to stop sending a body that is skipped.
// Envelope-from always comes, since a message has to begin.
func (w Wants) Steps() protocol.Steps {
	steps := protocol.StepSkip
	mayStream := !w.Replies.Has(KindResponse) && !w.Replies.Has(KindMacro)
	for code, kind := range kindOfCode {
		c := protocol.Code(code)
		switch {
		case kind == 0:
		case c == protocol.CodeMailFrom:
			// Work at the end of a message holds up what follows it: the next
			// envelope-from must then wait.
			if mayStream && !w.Replies.Has(kind) && !w.Replies.Has(KindAbort) &&
				!w.Replies.Has(KindMessageProcessed) {
				steps |= protocol.NoReply(c)
			}
		case !w.Events.Has(kind):
			steps |= protocol.NoEvent(c)
		case mayStream && !w.Replies.Has(kind):
			steps |= protocol.NoReply(c)
		}
	}
	return steps
}

// Answered lists the events that take an answer. The answer to an [Abort] does
// nothing but delay what comes after it.
type Answered interface {
	*Negotiation | *protocol.Connect | *protocol.Helo |
		*protocol.MailFrom | *protocol.RcptTo | *protocol.Data |
		*protocol.Header | *protocol.EndOfHeader | *protocol.Body |
		*protocol.Unknown | *Message | *Abort
}

// Observed lists all events.
type Observed interface {
	Answered | *protocol.Macro | *Established | *Response | *Result |
		*Timeout | *Failure | *Finished
}

// Go returns a handler that answers one kind of event with f. f may block: it
// runs in its own goroutine, its event is owned, and the Context of its session
// ends when the answer is no longer wanted: at an abort, at the end of the
// connection, or at the deadline. f should then return.
//
// Go(f) is Blocking(On(f)).
func Go[E Answered](f func(*Session, E) Reply) Handler { return Blocking(On(f)) }

// On returns a handler that answers one kind of event with f. f runs on the
// event loop, which serves other connections too: it must not block. A call
// that takes over 5 ms is reported as a [SlowError]. f may return [Async] or
// [Progress] to answer later.
func On[E Answered](f func(*Session, E) Reply) Handler {
	if f == nil {
		panic(fmt.Errorf("%w: function of On or Go", ErrNull))
	}
	return on[E](f)
}

// on is a function that answers one kind of event.
type on[E Answered] func(*Session, E) Reply

// Handle is [Handler].
func (f on[E]) Handle(s *Session, ev Event) Reply {
	if e, ok := ev.(E); ok {
		return f(s, e)
	}
	return Reply{}
}

// Wants is [Handler].
func (f on[E]) Wants() Wants {
	var e E
	kinds := Of(KindOf(e))
	return Wants{kinds, kinds}
}

// Observe returns a handler that is told of one kind of event and decides
// nothing. Where all functions of an event observe, the MTA is not made to wait
// for an answer. f runs on the event loop and must not block; for one that has
// to, there is Blocking(Observe(f)).
func Observe[E Observed](f func(*Session, E)) Handler {
	if f == nil {
		panic(fmt.Errorf("%w: function of Observe", ErrNull))
	}
	return observe[E](f)
}

// observe is a function that watches one kind of event.
type observe[E Observed] func(*Session, E)

// Handle is [Handler].
func (f observe[E]) Handle(s *Session, ev Event) Reply {
	if e, ok := ev.(E); ok {
		f(s, e)
	}
	return Reply{}
}

// Wants is [Handler].
func (f observe[E]) Wants() Wants {
	var e E
	return Wants{Events: Of(KindOf(e))}
}

// A Factory makes the handler of one connection. It is called when the
// connection opens, and again when the MTA uses it for another SMTP client. Its
// Session is good as long as the handler. A nil Handler ends the connection with
// ErrNull.
type Factory func(*Session) Handler

// Shared returns a factory that gives all connections the same handler.
func Shared(h Handler) Factory {
	return func(*Session) Handler { return h }
}
