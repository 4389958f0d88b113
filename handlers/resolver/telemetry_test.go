package resolver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"millstream/handlers/resolver/dnstest"
)

// provider gives all the same meter.
type provider struct {
	metricnoop.MeterProvider
	m *meter
}

func (p provider) Meter(string, ...metric.MeterOption) metric.Meter { return p.m }

// meter counts what is measured, by name and attributes.
type meter struct {
	metricnoop.Meter

	mu     sync.Mutex
	counts map[string]int
}

func (m *meter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return counter{m: m, name: name}, nil
}

func (m *meter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return histogram{m: m, name: name}, nil
}

func (m *meter) add(name string, set attribute.Set) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[name+" "+set.Encoded(attribute.DefaultEncoder())]++
}

type counter struct {
	metricnoop.Int64Counter
	m    *meter
	name string
}

func (c counter) Add(_ context.Context, _ int64, options ...metric.AddOption) {
	c.m.add(c.name, metric.NewAddConfig(options).Attributes())
}

type histogram struct {
	metricnoop.Float64Histogram
	m    *meter
	name string
}

func (h histogram) Record(_ context.Context, _ float64, options ...metric.RecordOption) {
	h.m.add(h.name, metric.NewRecordConfig(options).Attributes())
}

// span is a span that is recorded, and makes others below it.
type span struct {
	noop.Span
	list *spans
	name string
}

// tracers gives all the same tracer.
type tracers struct {
	embedded.TracerProvider
	list *spans
}

func (t tracers) Tracer(string, ...trace.TracerOption) trace.Tracer { return t.list }

// spans are the spans that were begun.
type spans struct {
	embedded.Tracer

	mu    sync.Mutex
	lines []string
}

func (l *spans) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	cfg := trace.NewSpanStartConfig(options...)
	s := &span{list: l, name: fmt.Sprintf("%s %v", name, cfg.SpanKind())}
	s.SetAttributes(cfg.Attributes()...)
	return trace.ContextWithSpan(ctx, s), s
}

func (s *span) TracerProvider() trace.TracerProvider { return tracers{list: s.list} }
func (s *span) IsRecording() bool                    { return true }
func (s *span) SetStatus(c codes.Code, _ string)     { s.name += " " + c.String() }
func (s *span) SetAttributes(attrs ...attribute.KeyValue) {
	for _, a := range attrs {
		if a.Key != attrPort {
			s.name += fmt.Sprintf(" %s=%s", a.Key, a.Value.String())
		}
	}
}

func (s *span) End(...trace.SpanEndOption) {
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	s.list.lines = append(s.list.lines, s.name)
}

// TestTelemetry looks names up and compares what was measured and traced.
func TestTelemetry(t *testing.T) {
	s := dnstest.Serve(t, replying(t, func(m *dns.Msg) {
		switch m.Question[0].Name {
		case "good.test.":
			m.Answer = records(t, "good.test. 60 A 192.0.2.1")
		case "none.test.":
			m.Rcode = dns.RcodeNameError
		case "cut.test.":
			m.Truncated = true
		default:
			m.Rcode = dns.RcodeServerFailure
		}
	}))
	m, l := &meter{counts: map[string]int{}}, new(spans)
	c := newClient(t, Config{Servers: []string{s.Addr}, Meter: provider{m: m}})
	ctx := trace.ContextWithSpan(t.Context(), &span{list: l})
	for _, name := range []string{"good.test", "good.test", "none.test", "fails.test", "fails.test", "cut.test", "no name"} {
		_, _ = c.LookupA(ctx, name)
	}
	_, _ = c.LookupA(t.Context(), "untraced.test")
	wantCounts := map[string]int{
		"dns.lookups dns.result=found,dns.source=server":     1,
		"dns.lookups dns.result=found,dns.source=cache":      1,
		"dns.lookups dns.result=not_found,dns.source=server": 1,
		"dns.lookups dns.result=not_found,dns.source=cache":  1,
		"dns.lookups dns.result=failure,dns.source=server":   3,
		"dns.lookups dns.result=failure,dns.source=cache":    1,
		"dns.lookup.duration dns.result=found":               1,
		"dns.lookup.duration dns.result=not_found":           1,
		"dns.lookup.duration dns.result=failure":             3,
	}
	for name, n := range m.counts {
		if wantCounts[name] != n {
			t.Errorf("%s: %d, want %d", name, n, wantCounts[name])
		}
		delete(wantCounts, name)
	}
	for name := range wantCounts {
		t.Errorf("%s was not measured", name)
	}
	const begin = "dns A client dns.question.type=A network.transport="
	wantSpans := []string{
		begin + "udp server.address=127.0.0.1 dns.result=found",
		begin + "udp server.address=127.0.0.1 dns.result=not_found",
		begin + "udp server.address=127.0.0.1 Error error.type=failure dns.result=failure",
		begin + "udp server.address=127.0.0.1 dns.result=truncated",
		begin + "tcp server.address=127.0.0.1 Error error.type=failure dns.result=failure",
	}
	if !slices.Equal(l.lines, wantSpans) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(l.lines, "\n"), strings.Join(wantSpans, "\n"))
	}
	l.lines = nil
	c.cfg.TraceNames = true
	_, _ = c.LookupAAAA(ctx, "none.test")
	if len(l.lines) != 1 || !strings.Contains(l.lines[0], " dns.question.name=none.test ") {
		t.Errorf("spans with names: %q", l.lines)
	}
}

// TestResults has the result of each kind of error.
func TestResults(t *testing.T) {
	for err, want := range map[error]string{
		nil: "found", ErrNotFound: "not_found", ErrTimeout: "timeout", ErrServer: "failure", context.Canceled: "canceled",
	} {
		if got := resultNames[resultOf(err)]; got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
