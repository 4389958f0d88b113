package resolver

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name under which spans and measurements are taken.
const scope = "millstream/handlers/resolver"

// The names of instruments.
const (
	MetricLookups        = "dns.lookups"
	MetricLookupDuration = "dns.lookup.duration"
)

// The names of attributes; those of the network and of questions are OpenTelemetry's.
const (
	attrResult    = attribute.Key("dns.result")
	attrSource    = attribute.Key("dns.source")
	attrErrorType = attribute.Key("error.type")
	attrName      = attribute.Key("dns.question.name")
	attrType      = attribute.Key("dns.question.type")
	attrServer    = attribute.Key("server.address")
	attrPort      = attribute.Key("server.port")
	attrTransport = attribute.Key("network.transport")
)

// durations are the bounds of the histogram in seconds.
var durations = []float64{500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10}

// A result is what a look-up came to.
type result uint8

const (
	found result = iota
	missing
	timedOut
	serverFailed
	given // up by the caller
	numResults
)

var resultNames = [numResults]string{"found", "not_found", "timeout", "failure", "canceled"}

func resultOf(err error) result {
	switch {
	case err == nil:
		return found
	case errors.Is(err, ErrNotFound):
		return missing
	case errors.Is(err, ErrServer):
		return serverFailed
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return timedOut
	}
	return given
}

// A source is where an answer comes from.
type source uint8

const (
	fromCache   source = iota
	fromOthers         // who ask the same at the same time
	fromServers        // that were asked for it
	numSources
)

var sourceNames = [numSources]string{"cache", "shared", "server"}

// instruments are what look-ups are measured with.
type instruments struct {
	lookups  metric.Int64Counter
	duration metric.Float64Histogram
	counts   [numResults][numSources]metric.MeasurementOption
	results  [numResults]metric.MeasurementOption
}

// create makes the instruments. p may be nil.
func (i *instruments) create(p metric.MeterProvider) (err error) {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	for r := range numResults {
		word := attrResult.String(resultNames[r])
		i.results[r] = metric.WithAttributeSet(attribute.NewSet(word))
		for s := range numSources {
			i.counts[r][s] = metric.WithAttributeSet(attribute.NewSet(word, attrSource.String(sourceNames[s])))
		}
	}
	meter := p.Meter(scope)
	if i.lookups, err = meter.Int64Counter(MetricLookups, metric.WithUnit("{lookup}"),
		metric.WithDescription("Look-ups, by result and by where the answer came from.")); err != nil {
		return err
	}
	i.duration, err = meter.Float64Histogram(MetricLookupDuration, metric.WithUnit("s"),
		metric.WithDescription("Time that a look-up took whose answer was not in the cache."),
		metric.WithExplicitBucketBoundaries(durations...))
	return err
}

// count counts a look-up.
func (i *instruments) count(ctx context.Context, r result, from source, took time.Duration) {
	i.lookups.Add(ctx, 1, i.counts[r][from])
	if from != fromCache {
		i.duration.Record(ctx, took.Seconds(), i.results[r])
	}
}

// begin begins the span of a query, if that of ctx is recorded.
func (c *Client) begin(ctx context.Context, network string, s *server, q question) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	kind := dns.TypeToString[q.kind]
	attrs := []attribute.KeyValue{
		attrType.String(kind), attrTransport.String(network),
		attrServer.String(s.addr.Addr().String()), attrPort.Int(int(s.addr.Port())),
	}
	if c.cfg.TraceNames {
		attrs = append(attrs, attrName.String(host(q.name)))
	}
	//nolint:spancheck // finish ends it
	return parent.TracerProvider().Tracer(scope).Start(ctx, "dns "+kind,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
}

// finish ends the span of a query. That there is no such name is an answer.
func finish(span trace.Span, a *answer, cut bool, err error) {
	if span.IsRecording() {
		word := "truncated"
		switch {
		case err != nil:
			word = resultNames[resultOf(err)]
			span.SetStatus(codes.Error, word)
			span.SetAttributes(attrErrorType.String(word))
		case !cut:
			word = resultNames[resultOf(a.err)]
		}
		span.SetAttributes(attrResult.String(word))
	}
	span.End()
}
