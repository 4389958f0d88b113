package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	nometric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	notrace "go.opentelemetry.io/otel/trace/noop"
)

// telemetry is what is told of messages while they are measured.
type telemetry struct {
	collector string  // where spans go to, as host:port; empty is off
	sampled   float64 // the part of the sessions that is traced
	metrics   bool    // taken, and read by nobody
}

// providers returns what sessions are measured with. stop sends what is left.
func (t *telemetry) providers(ctx context.Context) (tracer trace.TracerProvider, meter metric.MeterProvider, stop func() error, err error) {
	tracer, meter = notrace.NewTracerProvider(), nometric.NewMeterProvider()
	var ends []func(context.Context) error
	stop = func() error {
		var all error
		for _, end := range ends {
			all = errors.Join(all, end(context.Background()))
		}
		return all
	}
	if t.collector != "" {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(t.collector), otlptracehttp.WithInsecure())
		if err != nil {
			return nil, nil, nil, err
		}
		p := sdktrace.NewTracerProvider(
			sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(1<<14)), sdktrace.WithSampler(sdktrace.TraceIDRatioBased(t.sampled)),
		)
		tracer, ends = p, append(ends, p.Shutdown)
	}
	if t.metrics {
		p := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		meter, ends = p, append(ends, p.Shutdown)
	}
	return tracer, meter, stop, nil
}
