package handlers

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"millstream/protocol"
)

// Call asks h about an event. A panic becomes a reply that failed with a
// [*PanicError].
func (c *Control) Call(h Handler, s *Session, ev Event) (r Reply) {
	defer recovered(&r)
	return h.Handle(s, ev)
}

// recovered makes a failed reply of a panic. It is to be deferred.
func recovered(r *Reply) {
	if v := recover(); v != nil {
		*r = Failed(&PanicError{Value: v, Stack: debug.Stack()})
	}
}

// Guard returns what f returns, or a failed reply if f panics.
func (c *Control) Guard(f func() Reply) Reply { return guarded(f) }

// guarded returns what f returns, or a failed reply if it panics.
func guarded(f func() Reply) (r Reply) {
	defer recovered(&r)
	return f()
}

// Run starts the work of a pending reply of s, which stays good until the event is
// over. run starts what may block. post is called, from any goroutine, with a
// function to be called where handlers run; it returns the next reply, which may
// be pending again. If run was called, post is called once when that work is done,
// wanted or not.
func (c *Control) Run(s *Session, r Reply, run func(func()), post func(next func() Reply)) {
	p := r.pending
	c.mu.Lock()
	s.kept = true
	c.mu.Unlock()
	ctx := s.Context()
	if p.f != nil {
		m := c.msg
		run(func() {
			m.setBlocking(true)
			first := guarded(func() Reply { return p.f(ctx) })
			m.setBlocking(false)
			post(p.next(first))
		})
		return
	}
	resolve := newResolver(func(first Reply) error {
		if err := stale(ctx); err != nil {
			return err
		}
		post(p.next(first))
		return nil
	})
	failed := guarded(func() Reply {
		p.start(ctx, resolve)
		return Reply{}
	})
	if failed.failed {
		_ = resolve(failed)
	}
}

// next returns the function that goes on from the first reply of p.
func (p *pending) next(first Reply) func() Reply {
	return func() Reply {
		return guarded(func() Reply { return p.resume(first) })
	}
}

// newResolver returns a Resolve that delivers one reply.
func newResolver(deliver func(Reply) error) Resolve {
	var given atomic.Bool
	return func(r Reply) error {
		if r.pending != nil {
			return fmt.Errorf("%w: a pending reply", protocol.ErrStatusNotAllowed)
		}
		if !given.CompareAndSwap(false, true) {
			return ErrStaleResponse
		}
		return deliver(r)
	}
}

// stale returns why an answer to the event of ctx is no longer wanted; nil if it
// is.
func stale(ctx context.Context) error {
	switch {
	case ctx.Err() == nil:
		return nil
	case errors.Is(context.Cause(ctx), ErrSessionClosed):
		return ErrSessionClosed
	}
	return ErrStaleResponse
}

// setBlocking says that the handler of m may block now, or no longer. m may be
// nil.
func (m *Message) setBlocking(yes bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocking = yes
}

// Message returns the event at the end of a message. chunk is owned. Its changes
// go to out, from any goroutine.
func (c *Control) Message(chunk protocol.View, out Outlet) *Message {
	c.msg = &Message{c: c, chunk: chunk, out: out}
	return c.msg
}

// Conclude ends the changes to a message and returns the packets not yet flushed,
// quarantine included. failed says that a change could not be made: then there
// are none. The error says why, or why a quarantine was left out.
func (c *Control) Conclude(m *Message) (packets []byte, failed bool, err error) {
	c.msg = nil
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answered = true
	packets, m.packets = m.packets, nil
	if m.err != nil {
		return nil, true, m.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	reason := c.facts.QuarantineReason
	if reason == "" {
		return packets, false, nil
	}
	const need = protocol.ActionQuarantine
	quarantined, err := protocol.AppendQuarantine(packets, reason)
	if !c.facts.Options.Actions.Has(need) {
		err = protocol.ErrInvalidAction
	}
	if err != nil { // it was set by hand
		return packets, false, &OpError{protocol.CodeQuarantine.String(), c.facts.State, need, err}
	}
	if c.tally != nil {
		c.tally.quarantined = true
	}
	return quarantined, false, nil
}

// Prolong asks the MTA to wait on for m, unless its new body is under way: every
// piece of that does so by itself.
func (c *Control) Prolong(m *Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.answered && m.body != bodyOpen {
		m.progress()
	}
}
