package redis

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"

	"millstream/handlers/store/internal/local"
)

// scope is the name under which instruments are made.
const scope = "millstream/handlers/store/redis"

// The names of instruments.
const (
	// MetricFallback is 1 while Redis does not answer, and 0 while it does.
	MetricFallback = "store.fallback"

	// MetricEvicted counts the entries that have made room on this machine for others
	// before their end.
	MetricEvicted = local.MetricEvicted
)

// telemetry is what a store is watched with.
type telemetry struct {
	fallback metric.Int64UpDownCounter
	alone    bool
	unwatch  func() error
}

// begin makes the instruments. A store works without them.
func (t *telemetry) begin(s *Store) {
	meter := local.Meter(s.cfg.Meter, scope)
	var err error
	t.fallback, err = meter.Int64UpDownCounter(MetricFallback, metric.WithUnit("{store}"),
		metric.WithDescription("1 while the shared store does not answer and this machine decides alone."))
	if err != nil {
		s.cfg.Log.Warn("what becomes of the shared store is not measured", "error", err)
	}
	t.add(0) // so that it is there before anything happens
	t.unwatch, err = local.WatchEvictions(meter, func() int64 { return s.counters.Evicted() + s.marks.Evicted() })
	if err != nil {
		s.cfg.Log.Warn("evictions of the store are not measured", "error", err)
		t.unwatch = func() error { return nil }
	}
}

// add adds to the instrument.
func (t *telemetry) add(n int64) { t.fallback.Add(context.Background(), n) }

// away tells that Redis has gone.
func (t *telemetry) away(s *Store, err error) {
	t.alone = true
	t.add(1)
	s.cfg.Log.Warn("redis does not answer: this machine counts and remembers alone until it does",
		"addresses", s.cfg.Addresses, "error", err)
}

// back tells that Redis answers.
func (t *telemetry) back(s *Store, after time.Duration) {
	t.alone = false
	t.add(-1)
	s.cfg.Log.Info("redis answers again: it is told what came in the meantime",
		"addresses", s.cfg.Addresses, "after", after)
}

// end ends what is measured. A store that is no more is not away.
func (t *telemetry) end() error {
	if t.alone {
		t.add(-1)
	}
	return t.unwatch()
}
