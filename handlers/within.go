package handlers

import (
	"context"
	"fmt"
	"time"
)

// Within returns h with a limit to how long an answer of it may be pending. When d has
// passed since the event, the Context of the Session and that of [Async] end with
// ErrTimeout as their cause, and h has [Failed] with ErrTimeout. A function of Go or
// Async is waited for even then: it should return. What h answers at once has no limit.
func Within(d time.Duration, h Handler) Handler {
	switch {
	case h == nil:
		panic(fmt.Errorf("%w: handler of Within", ErrNull))
	case d <= 0:
		panic(fmt.Errorf("%w: time of Within", ErrNull))
	}
	return within{h, d, h.Wants().Replies}
}

// within is a handler whose pending answers have a limit.
type within struct {
	Handler
	d       time.Duration
	replies Kinds
}

func (w within) takes() Kinds { return takes(w.Handler) }

// Handle is [Handler].
func (w within) Handle(s *Session, ev Event) Reply {
	if !w.replies.Has(KindOf(ev)) {
		return w.Handler.Handle(s, ev)
	}
	l := &limit{time.Now().Add(w.d)}
	return l.on(w.Handler.Handle(s.within(l), ev))
}

// limit is when an answer is no longer waited for. It is the Visit of the session that
// the handler is given.
type limit struct{ at time.Time }

// Context is [Visit]. The context ends with that of the event at the latest.
func (l *limit) Context(parent context.Context) context.Context {
	ctx, _ := l.context(parent)
	return ctx
}

// Leave is [Visit].
func (l *limit) Leave(Reply) {}

func (l *limit) context(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(parent, l.at, ErrTimeout)
}

// on puts the limit on a reply, and on what it comes to.
func (l *limit) on(r Reply) Reply {
	p := r.pending()
	if p == nil {
		return r
	}
	limited := pending{then: make([]func(Reply) Reply, len(p.then))}
	for i, k := range p.then {
		limited.then[i] = func(r Reply) Reply { return l.on(k(r)) }
	}
	if f := p.f; f != nil {
		limited.f = func(ctx context.Context) Reply { return l.work(ctx, f) }
	} else {
		start := p.start
		limited.start = func(ctx context.Context, resolve Resolve) { l.start(ctx, start, resolve) }
	}
	return Reply{more: &more{pending: limited}}
}

// work is a function of Async with the limit.
func (l *limit) work(ctx context.Context, f func(context.Context) Reply) Reply {
	ctx, cancel := l.context(ctx)
	defer cancel()
	r := f(ctx)
	if l.passed() {
		return Failed(ErrTimeout)
	}
	return l.on(r)
}

// start is a function of Progress with the limit.
func (l *limit) start(ctx context.Context, start func(context.Context, Resolve), resolve Resolve) {
	ctx, cancel := l.context(ctx)
	stop := context.AfterFunc(ctx, func() {
		defer cancel()
		if l.passed() {
			_ = resolve(Failed(ErrTimeout)) // an error is that it was answered just now
		}
	})
	start(ctx, func(r Reply) error {
		err := resolve(r)
		if err == nil {
			stop()
			cancel()
		}
		return err
	})
}

// passed reports whether the time is over. It looks at the clock: the context that has
// ended may be that of the session, a moment before that of the function.
func (l *limit) passed() bool { return !time.Now().Before(l.at) }
