package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	nometric "go.opentelemetry.io/otel/metric/noop"
	notrace "go.opentelemetry.io/otel/trace/noop"
	collectlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collecttrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"millstream/handlers"
)

// collector takes what is sent over OTLP.
type collector struct {
	mu       sync.Mutex
	resource map[string]string
	spans    []*tracepb.Span
	metrics  map[string]*metricspb.Metric // as last sent
	records  []*logspb.LogRecord
}

// Its services have methods of the same name.
type (
	traceService struct {
		collecttrace.UnimplementedTraceServiceServer
		c *collector
	}
	metricsService struct {
		collectmetrics.UnimplementedMetricsServiceServer
		c *collector
	}
	logsService struct {
		collectlogs.UnimplementedLogsServiceServer
		c *collector
	}
)

func (s traceService) Export(_ context.Context, r *collecttrace.ExportTraceServiceRequest) (*collecttrace.ExportTraceServiceResponse, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for _, of := range r.ResourceSpans {
		s.c.resource = attributesOf(of.Resource.Attributes)
		for _, scope := range of.ScopeSpans {
			s.c.spans = append(s.c.spans, scope.Spans...)
		}
	}
	return &collecttrace.ExportTraceServiceResponse{}, nil
}

func (s metricsService) Export(_ context.Context, r *collectmetrics.ExportMetricsServiceRequest) (*collectmetrics.ExportMetricsServiceResponse, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for _, of := range r.ResourceMetrics {
		for _, scope := range of.ScopeMetrics {
			for _, m := range scope.Metrics {
				s.c.metrics[m.Name] = m
			}
		}
	}
	return &collectmetrics.ExportMetricsServiceResponse{}, nil
}

func (s logsService) Export(_ context.Context, r *collectlogs.ExportLogsServiceRequest) (*collectlogs.ExportLogsServiceResponse, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for _, of := range r.ResourceLogs {
		for _, scope := range of.ScopeLogs {
			s.c.records = append(s.c.records, scope.LogRecords...)
		}
	}
	return &collectlogs.ExportLogsServiceResponse{}, nil
}

// otelVariables are those that a test may find set, or set.
var otelVariables = []string{
	"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
	"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_TRACES_SAMPLER",
	"OTEL_TRACES_SAMPLER_ARG", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_PROPAGATORS", "OTEL_BSP_MAX_QUEUE_SIZE", selfObservation,
}

// noVariables has a test begin without variables of OpenTelemetry, and leaves nothing
// of what it sets up.
func noVariables(t *testing.T) {
	t.Helper()
	for _, name := range otelVariables {
		t.Setenv(name, "")
	}
	t.Cleanup(func() {
		otel.SetTracerProvider(notrace.NewTracerProvider())
		otel.SetMeterProvider(nometric.NewMeterProvider())
	})
}

// startCollector starts a collector, to which the variables send everything.
func startCollector(t *testing.T) *collector {
	t.Helper()
	noVariables(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{metrics: map[string]*metricspb.Metric{}}
	server := grpc.NewServer()
	collecttrace.RegisterTraceServiceServer(server, traceService{c: c})
	collectmetrics.RegisterMetricsServiceServer(server, metricsService{c: c})
	collectlogs.RegisterLogsServiceServer(server, logsService{c: c})
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	return c
}

// named returns the spans of a name.
func (c *collector) named(name string) (list []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name {
			list = append(list, s)
		}
	}
	return list
}

// one returns the only span of a name.
func (c *collector) one(t *testing.T, name string) *tracepb.Span {
	t.Helper()
	list := c.named(name)
	if len(list) != 1 {
		t.Fatalf("%d spans %s, want 1", len(list), name)
	}
	return list[0]
}

// attributesOf returns attributes as texts.
func attributesOf(list []*commonpb.KeyValue) map[string]string {
	m := make(map[string]string)
	for _, a := range list {
		m[a.Key] = textOf(a.Value)
	}
	return m
}

// textOf returns a value as it is written in a log.
func textOf(v *commonpb.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	}
	return v.String()
}

// served is a server that runs in the test.
type served struct {
	socket string
	cancel context.CancelFunc
	done   chan error
	out    chan struct{} // closed when it says that it listens
	once   sync.Once
	mu     sync.Mutex
	log    strings.Builder
}

// Write takes the log.
func (s *served) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

// hints takes what the server prints.
type hints struct{ s *served }

func (h hints) Write(b []byte) (int, error) {
	h.s.once.Do(func() { close(h.s.out) })
	return len(b), nil
}

// startServe starts the command serve with a filter. Unless f says otherwise it listens
// on a socket that only its user can reach.
func startServe(t *testing.T, f serveFlags, filter func(*slog.Logger) handlers.Handler) *served {
	t.Helper()
	if f.sockets == nil {
		f.sockets, f.mode = []string{"unix:" + filepath.Join(t.TempDir(), "s")}, "0600"
	}
	s := &served{socket: f.sockets[0], done: make(chan error, 1), out: make(chan struct{})}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	f.loops, f.grace, f.filter = 1, 5*time.Second, filter
	if f.logFormat == "" {
		f.logFormat = logText
	}
	if f.addresses == "" {
		f.addresses = "off"
	}
	go func() { s.done <- serve(ctx, &f, hints{s}, s) }()
	t.Cleanup(func() { s.cancel() })
	select {
	case <-s.out:
	case err := <-s.done:
		t.Fatal(err)
	}
	return s
}

// stop stops the server and returns its log.
func (s *served) stop(t *testing.T) string {
	t.Helper()
	s.cancel()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}
