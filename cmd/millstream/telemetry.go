package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	nometric "go.opentelemetry.io/otel/metric/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	notrace "go.opentelemetry.io/otel/trace/noop"
)

// spanQueue is how many spans may wait to be exported, unless the environment says
// otherwise. Those that find it full are dropped: the SDK's own 2048 are soon there.
const spanQueue = 16384

// flushWithin is how long the last spans, measurements and log records may take to go.
const flushWithin = 5 * time.Second

// telemetry is what the program tells of itself, as the variables of OpenTelemetry ask
// for. What nobody asks for is off, and costs nothing.
type telemetry struct {
	tracer   trace.TracerProvider // of package noop if it is off
	meter    metric.MeterProvider // likewise
	logs     slog.Handler         // nil if it is off
	registry *prometheus.Registry // what can be scraped; nil if it is off
	closers  []func(context.Context) error
}

// openTelemetry sets up what is asked for, and makes it that of the whole program.
// scraped says that there is somewhere to fetch measurements from. What OpenTelemetry
// has to complain of goes to log. The error is a mistake in the environment.
func openTelemetry(ctx context.Context, log *slog.Logger, scraped bool) (*telemetry, error) {
	t := &telemetry{tracer: notrace.NewTracerProvider(), meter: nometric.NewMeterProvider()}
	traces, metrics, logs := wanted("TRACES"), wanted("METRICS"), wanted("LOGS")
	scraped = scraped && !disabled()
	if !traces && !metrics && !logs && !scraped {
		return t, nil
	}
	complainTo(log)
	res, err := describeProgram(ctx)
	if err != nil {
		return nil, usageError{fmt.Errorf("telemetry: OTEL_RESOURCE_ATTRIBUTES: %w", err)}
	}
	if (traces || logs) && os.Getenv(selfObservation) == "" {
		err = os.Setenv(selfObservation, "true")
	}
	if metrics || scraped {
		err = errors.Join(err, t.openMetrics(ctx, res, metrics, scraped))
	}
	if traces {
		err = errors.Join(err, t.openTraces(ctx, res))
	}
	if logs {
		err = errors.Join(err, t.openLogs(ctx, res))
	}
	if err != nil {
		_ = t.close(ctx) // there is nothing to be told yet
		return nil, usageError{fmt.Errorf("telemetry: %w", err)}
	}
	return t, nil
}

// openMetrics sets up measurements, those of the Go runtime among them.
func (t *telemetry) openMetrics(ctx context.Context, res *resource.Resource, sent, scraped bool) error {
	options := []sdkmetric.Option{sdkmetric.WithResource(res)}
	if sent {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	if scraped {
		t.registry = prometheus.NewRegistry()
		reader, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.meter = provider
	t.closers = append(t.closers, provider.Shutdown)
	otel.SetMeterProvider(provider)
	return runtime.Start(runtime.WithMeterProvider(provider))
}

// openTraces sets up traces.
func (t *telemetry) openTraces(ctx context.Context, res *resource.Resource) error {
	sampler, err := samplerFor(os.Getenv("OTEL_TRACES_SAMPLER"), os.Getenv("OTEL_TRACES_SAMPLER_ARG"))
	if err != nil {
		return err
	}
	propagator, err := propagatorFor(os.Getenv("OTEL_PROPAGATORS"))
	if err != nil {
		return err
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	var options []sdktrace.BatchSpanProcessorOption
	if os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE") == "" {
		options = append(options, sdktrace.WithMaxQueueSize(spanQueue))
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithSampler(sampler),
		sdktrace.WithBatcher(exporter, options...))
	t.tracer = provider
	t.closers = append(t.closers, provider.Shutdown)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagator)
	return nil
}

// openLogs sets up log records.
func (t *telemetry) openLogs(ctx context.Context, res *resource.Resource) error {
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	t.closers = append(t.closers, provider.Shutdown)
	t.logs = otelslog.NewHandler("millstream", otelslog.WithLoggerProvider(provider), otelslog.WithVersion(version()))
	return nil
}

// close sends what has not been sent, and ends telemetry. It takes no longer than
// flushWithin.
func (t *telemetry) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
	defer cancel()
	ended := make(chan error, len(t.closers))
	for _, end := range t.closers { // one that hangs must not keep the others
		go func() { ended <- end(ctx) }()
	}
	var errs []error
	for range t.closers {
		select {
		case err := <-ended:
			errs = append(errs, err)
		case <-ctx.Done():
			return errors.Join(append(errs, ctx.Err())...)
		}
	}
	return errors.Join(errs...)
}
