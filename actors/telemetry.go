package actors

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"millstream/handlers"
	"millstream/protocol"
)

// scope is the name under which spans and instruments are made.
const scope = "millstream/actors"

// The names of spans.
const (
	spanSession = "milter.session"
	spanMessage = "milter.message"
	spanHandler = "milter.handler"
)

// KeepAttribute is set, to why, on a session span that is made although its session
// was not sampled: one of its messages was refused, failed or slow, a handler erred, or
// linked it to a trace that is sampled. A sampler that sees it is to sample it.
const KeepAttribute = attribute.Key("milter.keep")

// keepLinked is the value of KeepAttribute for the sake of a link.
const keepLinked = "parent"

// telemetry is what a System measures with.
type telemetry struct {
	instruments
	tracer trace.Tracer
	unset  trace.TracerProvider // the global one of a program that has set none; else nil
	told   bool                 // timelines are wanted
}

// newTelemetry returns the telemetry of a system.
func newTelemetry(sys *System) (*telemetry, error) {
	tp, mp := sys.cfg.Tracer, sys.cfg.Meter
	if tp == nil {
		tp = otel.GetTracerProvider()
	}
	if mp == nil {
		mp = otel.GetMeterProvider()
	}
	t := &telemetry{
		tracer: tp.Tracer(scope), told: sys.cfg.Timelines != nil,
	}
	if _, off := tp.(noop.TracerProvider); off || fmt.Sprintf("%T", tp) == unsetProvider {
		t.unset = tp
	}
	return t, t.instruments.create(mp.Meter(scope), sys)
}

// unsetProvider is the type of the global provider before a program sets one. Spans
// cannot be asked for without making them, and to make them costs something even if
// nobody takes them.
const unsetProvider = "*global.tracerProvider"

// traces reports whether anyone may take spans.
func (t *telemetry) traces(given trace.TracerProvider) bool {
	switch {
	case t.unset == nil:
		return true
	case given != nil:
		return false
	}
	return otel.GetTracerProvider() != t.unset
}

// rootOptions are those of the span of a session.
var rootOptions = []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer)}

// open returns the trail of a session; nil if nobody wants anything of it.
func (t *telemetry) open(s *session) *trail {
	traced := t.traces(s.sys.cfg.Tracer)
	measured := t.measures()
	if !traced && !t.told && !measured {
		return nil
	}
	tr := &trail{s: s, t: t, began: s.loop.stamp, measured: measured}
	tr.timed.Store(t.told || measured)
	s.control.Watch(tr)
	if !traced {
		return tr
	}
	ctx, span := t.tracer.Start(context.Background(), spanSession, rootOptions...)
	tr.spans.possible = span.SpanContext().IsValid()
	if span.IsRecording() {
		tr.spans.live, tr.spans.session, tr.spans.sessionCtx = true, span, ctx
		span.SetAttributes(sessionAttributes(s)...)
		tr.forget() // handlers are called within the session from now on
	}
	return tr
}

// why says why a message is traced although its session was not sampled; "" if it is
// not.
func (t *trail) why(o *handlers.Outcome) string {
	switch o.Status {
	case protocol.StatusReject, protocol.StatusTempFail, protocol.StatusDiscard:
		return "refused"
	}
	switch {
	case len(t.errs) > 0:
		return "error"
	case o.Quarantined:
		return "quarantined"
	}
	if slow := t.s.gen.cfg.TraceSlow; slow > 0 && o.HandlerTime >= slow {
		return "slow"
	}
	return ""
}

// spans are those of a session that is under way.
type spans struct {
	possible   bool // there is who takes spans
	live       bool // the session is sampled: spans are made as things happen
	session    trace.Span
	sessionCtx context.Context //nolint:containedctx // that of the span, for as long
	message    trace.Span
	messageCtx context.Context //nolint:containedctx // likewise
	latent     *latent         // in its place; nil if nobody is to link the message
}

// context returns that of the innermost span.
func (p *spans) context() context.Context {
	switch {
	case p.messageCtx != nil:
		return p.messageCtx
	case p.sessionCtx != nil:
		return p.sessionCtx
	}
	return context.Background()
}

// beginMessage begins the span of a message, if the session is sampled.
func (p *spans) beginMessage(t *trail, at time.Time) {
	if p.live {
		p.startMessage(t, at)
		return
	}
	p.await(t)
}

// endMessage ends the span of a message, and makes it if the session was not sampled.
// What is still told of the message is within it. why is that of a message that is
// kept.
func (p *spans) endMessage(t *trail, line *Timeline, why string) {
	end := t.s.loop.stamp
	if !p.live {
		p.adopt(t, why)
	}
	if p.message == nil {
		p.startMessage(t, line.Result.Start)
		for i := range line.Visits {
			p.visit(t, &line.Visits[i])
		}
	}
	span := p.message
	if p.message = nil; span == nil || !span.IsRecording() { // the sampler does not want it
		return
	}
	line.TraceID, line.SpanID = span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String()
	span.SetAttributes(messageAttributes(line, t.s.gen.cfg.TraceAddresses)...)
	for i := range line.Stages {
		e := &line.Stages[i]
		span.AddEvent(e.Event.String(), trace.WithTimestamp(t.began.Add(e.At)), trace.WithAttributes(stageAttributes(e)...))
	}
	for _, err := range line.Errors {
		span.RecordError(err)
	}
	if len(line.Errors) > 0 {
		span.SetStatus(codes.Error, line.Errors[0].Error())
	}
	span.End(trace.WithTimestamp(end))
}

// adopt makes the span of a session that was not sampled, for the sake of a message.
// From then on the session is.
func (p *spans) adopt(t *trail, why string) {
	p.sessionCtx, p.session = t.t.tracer.Start(context.Background(), spanSession, rootOptions[0], rootOptions[1], //nolint:spancheck // end ends it
		trace.WithTimestamp(time.Unix(0, t.s.since)),
		trace.WithAttributes(append(sessionAttributes(t.s), KeepAttribute.String(why))...))
	p.live = p.session.IsRecording()
}

// visit makes the span of a handler that has returned.
func (p *spans) visit(t *trail, v *Visit) {
	at := t.began.Add(v.At)
	_, span := t.t.tracer.Start(p.context(), spanHandler+" "+v.Handler, trace.WithTimestamp(at), trace.WithAttributes(visitAttributes(v)...))
	if v.Failed {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(at.Add(v.Took)))
}

// end ends the span of a session.
func (p *spans) end(why error) {
	if p.session == nil {
		return
	}
	if why != nil {
		p.session.RecordError(why)
		p.session.SetStatus(codes.Error, why.Error())
	}
	p.session.End()
	p.session, p.live = nil, false
}
