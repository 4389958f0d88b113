package actors

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observeCounts makes the instruments of what is counted by reason, by limit and by
// kind of error. Each has a series for every word of its table from the start, so that
// a first time shows in a rate. They hold on to the counts alone, not to the System,
// and what was counted stays when that has ended.
func observeCounts(meter metric.Meter, c *counts) (err error) {
	observe := func(name, unit, description string, key attribute.Key, words []string, values []atomic.Int64) {
		options := make([]metric.ObserveOption, len(words))
		for i, word := range words {
			options[i] = metric.WithAttributeSet(attribute.NewSet(key.String(word)))
		}
		_, e := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				for i := range values {
					o.Observe(values[i].Load(), options[i])
				}
				return nil
			}))
		err = errors.Join(err, e)
	}
	observe(MetricRefused, "{connection}", "Connections that were not taken, or were closed before an agreement, by reason.",
		attrReason, refusalNames[:], c.refused[:])
	observe(MetricLimits, "{hit}", "How often a limit was reached.", attrLimit, limitNames[:], c.limits[:])
	kinds := make([]string, len(breaches))
	for i, b := range breaches {
		kinds[i] = b.name
	}
	observe(MetricProtocolErrors, "{error}", "Errors of the protocol, by kind.", attrErrorKind, kinds, c.breaches[:])
	return err
}
