package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// TestTracedLines checks which lines say where they are traced.
func TestTracedLines(t *testing.T) {
	var text strings.Builder
	log := slog.New(traced{slog.NewTextHandler(&text, nil)}).With("a", 1)
	for _, flags := range []trace.TraceFlags{0, trace.FlagsSampled} {
		c := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags})
		log.InfoContext(trace.ContextWithSpanContext(t.Context(), c), "line", "sampled", c.IsSampled())
	}
	log.Info("line", "sampled", false)
	for line := range strings.Lines(text.String()) {
		const ids = "trace_id=01000000000000000000000000000000 span_id=0200000000000000"
		if strings.Contains(line, ids) != strings.Contains(line, "sampled=true") || !strings.Contains(line, "a=1") {
			t.Error(line)
		}
	}
}

// TestSeldom checks that what goes wrong again and again is told once a second.
func TestSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		log := slog.New(&seldom{Handler: slog.NewTextHandler(&text, nil)})
		for range 25 {
			log.Warn("failed")
			time.Sleep(complainEvery / 10)
		}
		if n := strings.Count(text.String(), "msg=failed"); n != 3 || strings.Count(text.String(), "suppressed=9") != 2 {
			t.Errorf("%d lines\n%s", n, &text)
		}
	})
}

// TestTelemetryClose checks that a collector which hangs does not keep the program, nor
// what goes elsewhere.
func TestTelemetryClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, began := false, time.Now()
		hangs := make(chan struct{})
		told := telemetry{closers: []func(context.Context) error{
			func(context.Context) error { <-hangs; return nil },
			func(context.Context) error { sent = true; return nil },
		}}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := told.close(ended); !errors.Is(err, context.DeadlineExceeded) || !sent {
			t.Errorf("%v, sent = %v", err, sent)
		}
		if took := time.Since(began); took != flushWithin {
			t.Errorf("it took %v", took)
		}
		close(hangs)
	})
}
