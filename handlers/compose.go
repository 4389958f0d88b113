package handlers

import (
	"context"
	"fmt"

	"millstream/protocol"
)

// A Middleware wraps a handler.
type Middleware func(Handler) Handler

// Around returns a middleware that calls f in place of a handler's Handle. f
// calls next.Handle, or answers itself.
func Around(f func(next Handler, s *Session, ev Event) Reply) Middleware {
	if f == nil {
		panic(fmt.Errorf("%w: function of Around", ErrNull))
	}
	return func(h Handler) Handler {
		if h == nil {
			panic(fmt.Errorf("%w: handler of a Middleware", ErrNull))
		}
		return around{h, f}
	}
}

// around is a handler with a function around it.
type around struct {
	Handler
	f func(next Handler, s *Session, ev Event) Reply
}

func (a around) takes() Kinds { return takes(a.Handler) }

// Handle is [Handler].
func (a around) Handle(s *Session, ev Event) Reply { return a.f(a.Handler, s, ev) }

// Need returns a handler that takes nothing, but has events of the given kinds
// sent. It is for what a [Session] and a [Result] tell: they know of clients,
// recipients and headers only if the MTA sends them. The MTA need not wait for
// answers to them.
func Need(kinds ...Kind) Handler { return need(Of(kinds...)) }

// need is a set of events to be sent.
type need Kinds

// Handle is [Handler].
func (need) Handle(*Session, Event) Reply { return Reply{} }

// Wants is [Handler].
func (n need) Wants() Wants { return Wants{Events: Kinds(n)} }

func (need) takes() Kinds { return 0 }

// takes returns the events that h is to be told of: those it wants, without those
// that it only has sent.
func takes(h Handler) Kinds {
	if t, ok := h.(interface{ takes() Kinds }); ok {
		return t.takes()
	}
	return h.Wants().Events
}

// Blocking returns h for use off the event loop: h runs in its own goroutine,
// its events are owned, and the Context of its session is that of [Go]. The events
// that h only observes count as answered, so the MTA waits while h works; after an
// event that has no answer, the session waits.
func Blocking(h Handler) Handler {
	if h == nil {
		panic(fmt.Errorf("%w: handler of Blocking", ErrNull))
	}
	return blocking{h, takes(h)}
}

// blocking is a handler that runs off the event loop.
type blocking struct {
	h     Handler
	taken Kinds
}

// Wants is [Handler].
func (b blocking) Wants() Wants {
	w := b.h.Wants()
	return Wants{w.Events, w.Replies | b.taken}
}

func (b blocking) takes() Kinds { return b.taken }

// Handle is [Handler].
func (b blocking) Handle(s *Session, ev Event) Reply {
	if !b.taken.Has(KindOf(ev)) {
		return Reply{}
	}
	ev = Own(ev)
	return Async(func(ctx context.Context) Reply {
		return wait(ctx, s, b.h.Handle(s, ev))
	})
}

// Own returns ev with bytes of its own. It is the one place where borrowed events
// become owned; those that are not commands are owned from the first, but for a
// Response, which the session uses again.
func Own(ev Event) Event {
	switch e := ev.(type) {
	case protocol.Command:
		return e.Clone()
	case *Response:
		r := *e
		return &r
	}
	return ev
}

// wait returns the reply that r, to an event of s, comes to. It is for goroutines
// that may block.
func wait(ctx context.Context, s *Session, r Reply) Reply {
	for p := r.pending(); p != nil; p = r.pending() {
		if p.f != nil {
			r = p.resume(p.f(ctx))
			continue
		}
		answer := make(chan Reply, 1)
		a := awaited{s: s, deliver: func(r Reply) { answer <- r }}
		p.start(ctx, a.resolve)
		select {
		case first := <-answer:
			r = p.resume(first)
		case <-ctx.Done():
			return Reply{} // nobody wants it any more
		}
	}
	return r
}
