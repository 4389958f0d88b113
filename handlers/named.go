package handlers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"millstream/protocol"
)

// Named gives a handler a name: that of what decided, in [Reply.By] and [Result.By],
// and in traces, measurements and logs. Names are for people who run the server and
// stay few: they are values of a label. Within a named handler the inner name counts.
func Named(name string, h Handler) Handler {
	switch {
	case h == nil:
		panic(fmt.Errorf("%w: handler of Named", ErrNull))
	case name == "":
		panic(fmt.Errorf("%w: name of Named", ErrNull))
	}
	return named{h, name}
}

// named is a handler with a name.
type named struct {
	Handler
	name string
}

func (n named) takes() Kinds { return takes(n.Handler) }

// Handle is [Handler].
func (n named) Handle(s *Session, ev Event) Reply {
	w := s.c.watcher
	if w == nil {
		return n.Handler.Handle(s, ev).by(n.name)
	}
	visit, traced := w.Enter(n.name, KindOf(ev))
	if visit == nil {
		r := n.Handler.Handle(s, ev).by(n.name)
		if r.pending() == nil {
			return r
		}
		return r.leaves(s, w.Await(n.name, KindOf(ev)))
	}
	if traced {
		s = s.within(visit)
	}
	left := false
	defer func() {
		if !left { // it panics
			visit.Leave(Failed(nil))
		}
	}()
	r := n.Handler.Handle(s, ev).by(n.name)
	left = true
	if traced {
		r = r.within(visit)
	}
	if r.pending() == nil {
		visit.Leave(r)
		return r
	}
	return r.leaves(s, visit)
}

// leaves has a visit of s end with a pending reply. v may be nil.
func (r Reply) leaves(s *Session, v Visit) Reply {
	if v == nil {
		return r
	}
	open := &stay{visit: v}
	s.event().await(open)
	return r.Then(func(r Reply) Reply {
		open.leave(r)
		return r
	})
}

// A Watcher is told of what named handlers do. Its methods may be called from any
// goroutine, but not two at a time for one session.
type Watcher interface {
	// Enter is called before a handler is asked about an event. The visit may be nil.
	// traced says that its Context is another one than that of the event.
	Enter(name string, kind Kind) (v Visit, traced bool)

	// Await is called when a handler answers later, and Enter had no visit for it. It
	// may return nil. Context is not called.
	Await(name string, kind Kind) Visit
}

// A Visit is one call of a named handler.
type Visit interface {
	// Context returns the context for what the handler does, made of that of the event.
	Context(parent context.Context) context.Context

	// Leave is called once, when the answer is known or not wanted any more. It must not
	// use the session.
	Leave(r Reply)
}

// Watch has w be told of what named handlers do. It is to be called before the first
// event.
func (c *Control) Watch(w Watcher) { c.watcher = w }

// stay is a visit whose answer is pending. It ends with the answer or with the event.
type stay struct {
	visit Visit
	left  atomic.Bool
}

func (o *stay) leave(r Reply) {
	if !o.left.Swap(true) {
		o.visit.Leave(r)
	}
}

// visits are those of named handlers, as far as a session has to do with them.
type visits struct {
	outer   *Session // that of the event, if the session is the one of a named handler
	visit   Visit    // of that handler
	pending []*stay  // of the event, whose answers are pending
}

// outer returns the session of the event, if s is the one of a named handler; else nil.
func (s *Session) outer() *Session {
	if s.named == nil {
		return nil
	}
	return s.named.outer
}

// await notes a visit whose answer is pending.
func (s *Session) await(o *stay) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.over != nil {
		o.leave(unwanted(s.over))
		return
	}
	if s.named == nil {
		s.named = new(visits)
	}
	s.named.pending = append(s.named.pending, o)
}

// unwanted is what a visit is left with whose answer is not wanted any more.
func unwanted(cause error) Reply {
	if errors.Is(cause, ErrTimeout) {
		return Failed(cause)
	}
	return Reply{status: protocol.StatusAbort}
}

// within returns the session for a handler that is visited.
func (s *Session) within(v Visit) *Session {
	return &Session{c: s.c, named: &visits{outer: s, visit: v}}
}

// within has the function that works out a pending reply do so in the context of a
// visit.
func (r Reply) within(v Visit) Reply {
	p := r.pending()
	if p == nil {
		return r
	}
	inner := pending{then: p.then}
	if f := p.f; f != nil {
		inner.f = func(ctx context.Context) Reply { return f(v.Context(ctx)) }
	} else {
		start := p.start
		inner.start = func(ctx context.Context, resolve Resolve) { start(v.Context(ctx), resolve) }
	}
	return Reply{more: &more{pending: inner}}
}

// by says whose answer r is, if it is more than to go on and nobody has said so yet.
func (r Reply) by(name string) Reply {
	if p := r.pending(); p != nil {
		return r.Then(func(r Reply) Reply { return r.by(name) })
	}
	if r.goesOn() && !r.failed || r.By() != "" {
		return r
	}
	m := more{by: name}
	if r.more != nil {
		m = *r.more
		m.by = name
	}
	r.more = &m
	return r
}

// By returns the name of the handler whose answer r is: that of [Named]. It is empty
// for what only goes on.
func (r Reply) By() string {
	if r.more == nil {
		return ""
	}
	return r.more.by
}
