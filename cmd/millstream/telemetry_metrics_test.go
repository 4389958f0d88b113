package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	nometric "go.opentelemetry.io/otel/metric/noop"
	notrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// scrapedSession returns a session without a server, and what it is measured with.
func scrapedSession(t *testing.T) (*actors.Offline, *telemetry) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	told, err := openTelemetry(t.Context(), quiet, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.close(t.Context()) })
	h := handlers.Named("check", handlers.Chain(
		handlers.On(func(_ *handlers.Session, m *protocol.MailFrom) handlers.Reply {
			switch m.Addr[1] % 4 {
			case 0:
				return handlers.Reject.With(550, "5.7.1", "no "+string(m.Addr))
			case 1:
				return handlers.Failed(fmt.Errorf("no answer for %s", m.Addr))
			}
			return handlers.Continue
		}),
		handlers.Need(handlers.KindHelo, handlers.KindEnvelopeRecipient),
	))
	o, err := actors.NewOffline(actors.Config{Log: quiet, Tracer: told.tracer, Meter: told.meter, SlowInline: -1}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.HangUp(nil) })
	_ = o.Feed((&protocol.Negotiate{Offer: protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}}).Append(nil))
	return o, told
}

// feed does messages, each with a helo, a sender, a recipient and a queue id of its own.
func feed(o *actors.Offline, from, to int) {
	var b []byte
	for i := from; i < to; i++ {
		b = (&protocol.Helo{Name: fmt.Appendf(nil, "helo%d.example", i)}).Append(b[:0])
		b = protocol.NewMacro(protocol.CodeMailFrom, "i", fmt.Sprintf("Q%d", i)).Append(b)
		b = (&protocol.MailFrom{Addr: fmt.Appendf(nil, "<%c%d@example.com>", 'a'+i%26, i)}).Append(b)
		b = (&protocol.RcptTo{Addr: fmt.Appendf(nil, "<u%d@example.net>", i)}).Append(b)
		b = (&protocol.EndOfMessage{}).Append(b)
		_ = o.Feed(append(b, (&protocol.Abort{}).Append(nil)...)) // errors are of the filter
		o.Output()
	}
}

// scrape returns /metrics, and how many series are in it.
func scrape(t *testing.T, told *telemetry, accept string) (text string, series int) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	adminHandler(metricsRoute(told.registry)).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			series++
		}
	}
	return w.Body.String(), series
}

// TestPromtool checks that Prometheus has nothing to say against the measurements.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: bench/e2e/install.sh brings it")
	}
	startCollector(t) // there are more with everything on
	o, told := scrapedSession(t)
	feed(o, 0, 100)
	text, _ := scrape(t, told, "")
	if !strings.Contains(text, "otel_sdk_processor_span_queue_size") {
		t.Errorf("nothing of the SDK in\n%s", text)
	}
	c := exec.CommandContext(t.Context(), tool, "check", "metrics")
	c.Stdin = strings.NewReader(text)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil || out.Len() > 0 {
		t.Errorf("%v: %s", err, &out)
	}
}

// TestOpenMetrics checks that measurements lead to traces, in the format that can.
func TestOpenMetrics(t *testing.T) {
	startCollector(t)
	o, told := scrapedSession(t)
	feed(o, 0, 10)
	text, _ := scrape(t, told, "application/openmetrics-text; version=1.0.0")
	exemplars := map[string]bool{
		"milter_messages_total": false, "milter_reply_wait_seconds_bucket": false, "milter_errors_total": false,
		"milter_stage_duration_seconds_bucket": false, "milter_handler_duration_seconds_bucket": false,
	}
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "{")
		if traced, ok := exemplars[name]; ok {
			exemplars[name] = traced || strings.Contains(line, `trace_id="`)
		}
	}
	for name, traced := range exemplars {
		if !traced {
			t.Errorf("%s leads to no trace", name)
		}
	}
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("no OpenMetrics:\n%.500s", text)
	}
}

// TestTelemetryOff checks that nothing is made that nobody asks for.
func TestTelemetryOff(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"nothing is set": {},
		"none": {
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
			"OTEL_TRACES_EXPORTER":        "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none",
		},
		"disabled": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"},
	} {
		t.Run(name, func(t *testing.T) {
			noVariables(t)
			for name, value := range variables {
				t.Setenv(name, value)
			}
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			log := slog.New(slog.DiscardHandler)
			told, err := openTelemetry(t.Context(), log, name == "disabled")
			if err != nil {
				t.Fatal(err)
			}
			_, tracesOff := told.tracer.(notrace.TracerProvider)
			_, metricsOff := told.meter.(nometric.MeterProvider)
			if !tracesOff || !metricsOff || told.registry != nil || told.logger(log, slog.LevelInfo) != log {
				t.Errorf("something is on: %+v", told)
			}
			if err := told.close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTelemetryMistakes checks that a mistake in the environment is named.
func TestTelemetryMistakes(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"OTEL_TRACES_EXPORTER", "zipkin", "traces: "},
		{"OTEL_METRICS_EXPORTER", "statsd", "metrics: "},
		{"OTEL_LOGS_EXPORTER", "file", "logs: "},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon", "protocol"},
		{"OTEL_TRACES_SAMPLER", "some", "OTEL_TRACES_SAMPLER: "},
		{"OTEL_PROPAGATORS", "tracecontext,pigeon", "OTEL_PROPAGATORS: "},
		{"OTEL_RESOURCE_ATTRIBUTES", "a", "OTEL_RESOURCE_ATTRIBUTES"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noVariables(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
			t.Setenv(tt.name, tt.value)
			_, err := openTelemetry(t.Context(), slog.New(slog.DiscardHandler), false)
			if err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
