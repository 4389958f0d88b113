package actors

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"millstream/handlers"
)

// Enter is [handlers.Watcher]. Where no more is wanted than to trace what goes wrong,
// only handlers that answer later are told of: to look at the clock for each of the
// others would be most of what telemetry costs.
func (t *trail) Enter(name string, kind handlers.Kind) (v handlers.Visit, traced bool) {
	if !t.timed.Load() {
		return nil, false
	}
	return t.enter(name, kind)
}

// Await is [handlers.Watcher].
func (t *trail) Await(name string, kind handlers.Kind) handlers.Visit {
	v, _ := t.enter(name, kind)
	return v
}

func (t *trail) enter(name string, kind handlers.Kind) (v handlers.Visit, traced bool) {
	t.visitMu.Lock()
	defer t.visitMu.Unlock()
	t.atWork = &visit{t: t, parent: t.parent, name: name, kind: kind, from: time.Now(), began: t.began}
	return t.atWork, t.parent != nil
}

// visit is a call of a named handler that is under way. Its span is made when its
// context is asked for: handlers that only look at what they are given need none.
type visit struct {
	t      *trail
	parent context.Context //nolint:containedctx // that of the message
	name   string
	kind   handlers.Kind
	from   time.Time
	began  time.Time // the message

	mu   sync.Mutex
	span trace.Span
	left bool
}

// Context is [handlers.Visit].
func (v *visit) Context(parent context.Context) context.Context {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.span == nil {
		if v.left { // too late for a span that would end
			return trace.ContextWithSpan(parent, trace.SpanFromContext(v.parent))
		}
		_, v.span = v.t.t.tracer.Start(v.parent, spanHandler+" "+v.name, trace.WithTimestamp(v.from)) //nolint:spancheck // Leave ends it
	}
	return trace.ContextWithSpan(parent, v.span)
}

// Leave is [handlers.Visit].
func (v *visit) Leave(r handlers.Reply) {
	v.mu.Lock()
	again, span := v.left, v.span
	v.left = true
	v.mu.Unlock()
	if again { // whoever came first: the handler, or who gave up on it
		return
	}
	end := time.Now()
	note := Visit{
		Handler: v.name, Event: v.kind, Count: 1, At: v.from.Sub(v.began), Took: end.Sub(v.from),
		Status: r.Status(), Failed: r.Failed() || r.Err() != nil, // also if a policy has answered for it
	}
	ctx := v.parent
	switch {
	case span != nil:
		endVisit(span, &note, r.Err(), end)
		ctx = trace.ContextWithSpan(v.parent, span)
	case ctx == nil:
		ctx = context.Background()
	}
	if v.t.measured {
		v.t.t.visited(ctx, &note)
	}
	v.t.visited(note, v.began)
}

// endVisit ends the span of a visit.
func endVisit(span trace.Span, v *Visit, err error, at time.Time) {
	span.SetAttributes(visitAttributes(v)...)
	if v.Failed {
		text := ""
		if err != nil {
			span.RecordError(err)
			text = err.Error()
		}
		span.SetStatus(codes.Error, text)
	}
	span.End(trace.WithTimestamp(at))
}
