package local

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// collector takes what is measured when it is asked to.
type collector struct {
	noop.Meter
	noop.Observer
	callback metric.Callback
	measured int64
	stopped  bool
}

// RegisterCallback implements metric.Meter.
func (c *collector) RegisterCallback(f metric.Callback, _ ...metric.Observable) (metric.Registration, error) {
	c.callback = f
	return registration{collector: c}, nil
}

// ObserveInt64 implements metric.Observer.
func (c *collector) ObserveInt64(_ metric.Int64Observable, n int64, _ ...metric.ObserveOption) {
	c.measured = n
}

// registration ends what a collector asks for.
type registration struct {
	noop.Registration
	collector *collector
}

// Unregister implements metric.Registration.
func (r registration) Unregister() error {
	r.collector.stopped = true
	return nil
}

func TestWatchEvictions(t *testing.T) {
	var c collector
	stop, err := WatchEvictions(&c, func() int64 { return 42 })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.callback(context.Background(), &c); err != nil || c.measured != 42 {
		t.Errorf("%d is measured: %v", c.measured, err)
	}
	if err := stop(); err != nil || !c.stopped {
		t.Errorf("it is still measured: %v", err)
	}
}
