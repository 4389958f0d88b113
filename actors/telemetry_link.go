package actors

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// maxLinks is how many links of a message are kept before it has a span.
const maxLinks = 16

// latent stands for the span of a message whose session was not sampled, in the context
// that its handlers get: it takes links and nothing else. The methods of a nil latent
// tell of no links.
type latent struct {
	noop.Span

	mu      sync.Mutex // handlers may be anywhere
	links   []trace.Link
	sampled bool // one of them leads to what is sampled
}

// AddLink is [trace.Span].
func (l *latent) AddLink(link trace.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !link.SpanContext.IsValid() || len(l.links) == maxLinks {
		return
	}
	l.links = append(l.links, link)
	l.sampled = l.sampled || link.SpanContext.IsSampled()
}

// wanted reports whether the message is to be traced for the sake of its links.
func (l *latent) wanted() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sampled
}

// linked returns the links.
func (l *latent) linked() []trace.Link {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.links
}

// await has handlers be called with a latent span, if they may want to link the
// message.
func (p *spans) await(t *trail) {
	if p.possible && t.s.gen.cfg.TraceLinks {
		p.latent = new(latent)
		p.messageCtx = trace.ContextWithSpan(context.Background(), p.latent)
	}
}

// startMessage makes the span of a message that began at a time, with the links that
// it has so far.
func (p *spans) startMessage(t *trail, at time.Time) {
	p.messageCtx, p.message = t.t.tracer.Start(p.sessionCtx, spanMessage, trace.WithTimestamp(at), //nolint:spancheck // endMessage ends it
		trace.WithLinks(p.latent.linked()...))
	p.latent = nil
}

// follow has a message be traced from now on if a handler has linked it to what is
// sampled. It is called between two events: no handler is at work.
func (t *trail) follow() {
	p := &t.spans
	if !p.latent.wanted() {
		return
	}
	t.s.control.Release() // the attributes of the session are asked for
	p.adopt(t, keepLinked)
	if !p.live { // the sampler does not want it
		p.latent = nil
		return
	}
	p.startMessage(t, t.began)
	t.visitMu.Lock()
	defer t.visitMu.Unlock()
	for i := range t.visits {
		p.visit(t, &t.visits[i])
	}
	t.adopted()
}
