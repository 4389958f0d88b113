package local

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// DefaultMaxEntries is how many counters an engine keeps, and how many marks, where
// nobody says otherwise.
const DefaultMaxEntries = 1_000_000

// Limit returns how many entries a table may have, with the default for zero.
func Limit(configured int) int {
	if configured == 0 {
		return DefaultMaxEntries
	}
	return configured
}

// Warn returns what is called when a table is full for the first time.
func Warn(log *slog.Logger, what string, limit int) func() {
	return func() {
		log.Warn("store is full: what would expire soonest makes room; raise its limit if this goes on",
			"kind", what, "max_entries", limit)
	}
}

// MetricEvicted counts entries that have made room for others before their end.
const MetricEvicted = "store.evicted"

// Meter returns the meter of an engine. The provider may be nil, which is the global
// one of OpenTelemetry.
func Meter(provider metric.MeterProvider, scope string) metric.Meter {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	return provider.Meter(scope)
}

// WatchEvictions measures what makes room. It returns what ends the measurement.
func WatchEvictions(meter metric.Meter, evicted func() int64) (stop func() error, err error) {
	counter, err := meter.Int64ObservableCounter(MetricEvicted, metric.WithUnit("{entry}"),
		metric.WithDescription("Entries that made room for others before they expired."))
	if err != nil {
		return nil, err
	}
	observed, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(counter, evicted())
		return nil
	}, counter)
	if err != nil {
		return nil, err
	}
	return observed.Unregister, nil
}
