package greylist

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// The names of instruments.
const (
	// MetricDecisions counts recipients by [AttributeResult].
	MetricDecisions = "greylist.decisions"

	// MetricDelay is how long those that passed have waited since their first try, in
	// seconds.
	MetricDelay = "greylist.delay"

	// AttributeResult is what became of a recipient: skipped, whitelisted, known, passed,
	// unconfirmed, deferred or early.
	AttributeResult = "greylist.result"
)

// telemetry is what a greylist is watched with.
type telemetry struct {
	decisions metric.Int64Counter
	delay     metric.Float64Histogram
	results   [numResults][]metric.AddOption
	labels    []metric.RecordOption
}

// newTelemetry makes the instruments, with labels for all they tell. A greylist works
// without them.
func newTelemetry(meter metric.Meter, log *slog.Logger, labels []attribute.KeyValue) *telemetry {
	if meter == nil {
		meter = noop.Meter{}
	}
	t := &telemetry{labels: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(labels...))}}
	for r, name := range resultNames {
		all := attribute.NewSet(slices.Concat(labels, []attribute.KeyValue{attribute.String(AttributeResult, name)})...)
		t.results[r] = []metric.AddOption{metric.WithAttributeSet(all)}
	}
	var err error
	t.decisions, err = meter.Int64Counter(MetricDecisions, metric.WithUnit("{recipient}"),
		metric.WithDescription("Recipients that a greylist has decided about."))
	if err != nil {
		log.Warn("what a greylist decides is not measured", "error", err)
	}
	t.delay, err = meter.Float64Histogram(MetricDelay, metric.WithUnit("s"),
		metric.WithDescription("How long recipients that passed a greylist had waited."),
		metric.WithExplicitBucketBoundaries(60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400))
	if err != nil {
		log.Warn("how long a greylist delays is not measured", "error", err)
	}
	return t
}

// note counts a verdict.
func (t *telemetry) note(ctx context.Context, v verdict) {
	t.decisions.Add(ctx, 1, t.results[v.result]...)
	if v.result == passed {
		t.delay.Record(ctx, v.waited.Seconds(), t.labels...)
	}
}
