package handlers

import (
	"context"
	"errors"
	"iter"

	"millstream/protocol"
)

// A Session is what is known of one connection from an MTA, of the SMTP client
// it speaks for, and of the message under way. Its methods may be called from
// any goroutine and return owned values.
//
// The Session of an event is good for that event: Context ends with it, and the
// methods that set something do nothing after it. The others go on to tell how
// the session stands.
type Session struct {
	c      *Control
	ctx    context.Context         // until it is asked for, the one it is made of; that may be nil if named is not
	cancel context.CancelCauseFunc // of ctx; nil until it is asked for, and for a named handler
	over   error                   // why the event is over; nil until then
	named  *visits                 // of named handlers; nil if there are none
	kept   bool                    // the answer is pending, so that it may be used after the call
}

// Context ends when the event it was taken in is over, when the message is
// aborted or the connection closed, or at the handler's deadline. It carries the
// trace of the session. For the Session of a [Factory] it ends with the
// connection.
func (s *Session) Context() context.Context {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.context()
}

// context is Context for who holds the lock.
func (s *Session) context() context.Context {
	switch outer := s.outer(); {
	case outer != nil:
		if s.ctx == nil {
			s.ctx = s.named.visit.Context(outer.context())
		}
	case s.cancel == nil:
		s.ctx, s.cancel = context.WithCancelCause(s.ctx)
		if s.over != nil {
			s.cancel(s.over)
		}
	}
	return s.ctx
}

// event returns the session that the event of s was told with.
func (s *Session) event() *Session {
	for outer := s.outer(); outer != nil; outer = s.outer() {
		s = outer
	}
	return s
}

// end ends the event of s, if it is not over yet. The caller holds the lock.
func (s *Session) end(cause error) {
	if s.over != nil {
		return
	}
	s.over = cause
	if s.cancel != nil {
		s.cancel(cause)
	}
	if s.named != nil {
		for _, v := range s.named.pending {
			v.leave(unwanted(cause))
		}
		s.named = nil
	}
}

// stale returns why an answer to the event of s is no longer wanted; nil if it is.
func (s *Session) stale() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	switch over := s.event().over; {
	case over == nil:
		return nil
	case s.c.closed || errors.Is(over, ErrSessionClosed):
		return ErrSessionClosed
	}
	return ErrStaleResponse
}

// fact returns what f tells.
func fact[T any](s *Session, f func(*Control) T) T {
	s.c.mu.Lock()
	v := f(s.c)
	s.c.mu.Unlock()
	return v
}

// set calls f under the lock, unless the event of s is over.
func (s *Session) set(f func(*Control)) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.event().over == nil {
		f(s.c)
	}
}

// ID returns a number that is unique in the process.
func (s *Session) ID() uint64 {
	return fact(s, func(c *Control) uint64 { return c.known.id })
}

// Peer returns the address of the MTA, not that of the SMTP client. It is zero
// before it is known.
func (s *Session) Peer() protocol.Addr {
	return fact(s, func(c *Control) protocol.Addr { return c.known.peer })
}

// Listener returns the address the MTA connected to, as configured.
func (s *Session) Listener() string {
	return fact(s, func(c *Control) string { return c.common.listener })
}

// Sessions returns how many sessions the server has now, this one included; 0
// without a server.
func (s *Session) Sessions() int {
	if count := fact(s, func(c *Control) func() int { return c.common.sessions }); count != nil {
		return count()
	}
	return 0
}

// State returns the state of the session.
func (s *Session) State() protocol.State {
	return fact(s, func(c *Control) protocol.State { return c.machine.State() })
}

// LastState returns the last state that stood for a command with an answer.
func (s *Session) LastState() protocol.State {
	return fact(s, func(c *Control) protocol.State { return c.machine.LastState() })
}

// Status returns the last status applied; StatusDefault at first.
func (s *Session) Status() protocol.Status {
	return fact(s, func(c *Control) protocol.Status { return c.machine.Status() })
}

// InMessage reports whether a message has begun and not ended.
func (s *Session) InMessage() bool {
	return fact(s, func(c *Control) bool { return c.machine.InMessage() })
}

// Options returns what was agreed on. Its Version is 0 before the negotiation.
func (s *Session) Options() protocol.Options {
	return fact(s, func(c *Control) protocol.Options { return c.known.options })
}

// Client returns the SMTP client's host name and address; zero before connect,
// and if no handler takes connect: see [Need].
func (s *Session) Client() (host string, addr protocol.Addr) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.known.host, s.c.known.client
}

// Helo returns the name of the last HELO or EHLO; "" if there was none, or if no
// handler takes helo: see [Need].
func (s *Session) Helo() string {
	return fact(s, func(c *Control) string { return c.known.helo })
}

// RcptRefused reports whether the recipient of the event is one that the MTA
// has refused. It is for StepRcptRejected.
func (s *Session) RcptRefused() bool {
	return fact(s, func(c *Control) bool { return c.known.rcptRefused })
}

// Macro returns the value of a macro, newest stage first, or "". Braces around
// name do not matter.
func (s *Session) Macro(name string) string {
	value, _ := s.LookupMacro(name)
	return value
}

// QueueID returns the name of the message in the queue of the MTA, its macro i, for
// logs. Where there is none it is NOQUEUE, as MTAs write: Postfix gives none before the
// first recipient is accepted.
func (s *Session) QueueID() string { return s.c.QueueID() }

// LookupMacro is Macro that tells an empty value from none.
func (s *Session) LookupMacro(name string) (value string, ok bool) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.macros.Lookup(name)
}

// Macros yields all macros. It is a snapshot.
func (s *Session) Macros() iter.Seq2[string, string] {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	var names, values []string
	for name, value := range s.c.macros.All() {
		names, values = append(names, name), append(values, value)
	}
	return func(yield func(string, string) bool) {
		for i := range names {
			if !yield(names[i], values[i]) {
				return
			}
		}
	}
}

// Result returns what is known so far of the message; nil outside a message. It
// is a copy. Recipients and headers are there if a handler takes them: see [Need].
func (s *Session) Result() *Result {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.result()
}

// QuarantineReason returns the reason given to [Message.Quarantine], or "".
func (s *Session) QuarantineReason() string {
	return fact(s, func(c *Control) string { return c.seldom().quarantine })
}

// Shelf returns the values that are kept for the message.
func (s *Session) Shelf() *Shelf { return (*Shelf)(s) }
