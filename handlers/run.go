package handlers

import (
	"fmt"
	"runtime/debug"
	"sync"

	"millstream/protocol"
)

// Call asks h about an event. A panic becomes a reply that failed with a
// [*PanicError].
func (c *Control) Call(h Handler, s *Session, ev Event) (r Reply) {
	c.Release()
	returned := false
	defer func() {
		if !returned {
			r = panicked(recover())
		}
		c.failed = r.failed
	}()
	r = h.Handle(s, ev)
	returned = true
	return r
}

// called returns the reply of h, or a failed one if h panics.
func called(h Handler, s *Session, ev Event) (r Reply) {
	defer recovered(&r)
	return h.Handle(s, ev)
}

// recovered makes a failed reply of a panic. It is to be deferred.
func recovered(r *Reply) {
	if v := recover(); v != nil {
		*r = panicked(v)
	}
}

// panicked returns the reply of a handler that panics with v, or if that is nil ends its
// goroutine.
func panicked(v any) Reply {
	if v == nil {
		v = exited
	}
	return Failed(&PanicError{Value: v, Stack: debug.Stack()})
}

// Guard returns what f returns, or a failed reply if f panics.
func (c *Control) Guard(f func() Reply) Reply {
	c.Release()
	return guarded(f)
}

// guarded returns what f returns, or a failed reply if it panics.
func guarded(f func() Reply) (r Reply) {
	defer recovered(&r)
	return f()
}

// exited is what a function is taken to have panicked with that ended its goroutine.
const exited = "its goroutine ended, by runtime.Goexit or FailNow of a test"

// finally calls then with what f returns, or with a failed reply if f panics or ends
// its goroutine, which cannot be stopped: then is the last that is called there.
func finally(f func() Reply, then func(Reply)) {
	var r Reply
	returned := false
	defer func() {
		if !returned {
			r = panicked(recover())
		}
		then(r)
	}()
	r = f()
	returned = true
}

// Run starts the work of a pending reply of s, which stays good until the event is
// over. run starts what may block. post is called, from any goroutine, with a
// function to be called where handlers run; it returns the next reply, which may
// be pending again. If run was called, post is called once when that work is done,
// wanted or not, also if its goroutine ends with [runtime.Goexit].
func (c *Control) Run(s *Session, r Reply, run func(func()), post func(next func() Reply)) {
	p := r.pending()
	c.mu.Lock()
	s.kept = true
	c.mu.Unlock()
	ctx := s.Context()
	if p.f != nil {
		m := c.msg
		run(func() {
			m.setBlocking(true)
			finally(func() Reply { return p.f(ctx) }, func(first Reply) {
				m.setBlocking(false)
				post(c.next(p, first))
			})
		})
		return
	}
	a := awaited{s: s, deliver: func(first Reply) { post(c.next(p, first)) }, starting: true}
	a.started(guarded(func() Reply {
		p.start(ctx, a.resolve)
		return Reply{}
	}))
}

// next returns the function that goes on from the first reply of p.
func (c *Control) next(p *pending, first Reply) func() Reply {
	return func() Reply {
		r := guarded(func() Reply { return p.resume(first) })
		c.failed = r.failed
		return r
	}
}

// awaited is an answer that comes by a call of resolve.
type awaited struct {
	s       *Session
	deliver func(Reply)

	mu       sync.Mutex
	starting bool // start has not returned: an answer is held
	given    bool
	first    Reply
}

// resolve is the [Resolve] of a.
func (a *awaited) resolve(r Reply) error {
	if r.pending() != nil {
		return fmt.Errorf("%w: a pending reply", protocol.ErrStatusNotAllowed)
	}
	if err := a.s.stale(); err != nil {
		return err
	}
	a.mu.Lock()
	again, held := a.given, a.starting
	if !again {
		a.given, a.first = true, r
	}
	a.mu.Unlock()
	switch {
	case again:
		return ErrStaleResponse
	case !held:
		a.deliver(r)
	}
	return nil
}

// started says that start has returned, or failed with a panic.
func (a *awaited) started(r Reply) {
	a.mu.Lock()
	a.starting = false
	if r.failed {
		a.given, a.first = true, r
	}
	given, first := a.given, a.first
	a.mu.Unlock()
	if given {
		a.deliver(first)
	}
}
