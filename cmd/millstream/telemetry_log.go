package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

// logger returns a logger that writes to log and, if that is asked for, to the
// collector; what is less than level to neither.
func (t *telemetry) logger(log *slog.Logger, level slog.Leveler) *slog.Logger {
	if t.logs == nil {
		return log
	}
	return slog.New(slog.NewMultiHandler(log.Handler(), leveled{t.logs, level}))
}

// leveled is a handler of log lines of some level and more.
type leveled struct {
	slog.Handler
	level slog.Leveler
}

// Enabled is [slog.Handler].
func (h leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level.Level() && h.Handler.Enabled(ctx, level)
}

// WithAttrs is [slog.Handler].
func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup is [slog.Handler].
func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{h.Handler.WithGroup(name), h.level}
}

// traced is a handler that adds to each line the numbers under which what it tells of
// is traced. In a logger with a group they are in the group.
type traced struct{ slog.Handler }

// Handle is [slog.Handler].
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if c := trace.SpanContextFromContext(ctx); c.IsSampled() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", c.TraceID().String()), slog.String("span_id", c.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is [slog.Handler].
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup is [slog.Handler].
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

// complainTo has OpenTelemetry say to log what goes wrong in it. A collector that is
// away goes wrong often.
func complainTo(log *slog.Logger) {
	log = slog.New(&seldom{Handler: log.Handler()})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("telemetry failed", "err", err) }))
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
}

// complainEvery is how far apart the lines of OpenTelemetry are.
const complainEvery = time.Second

// seldom is a handler that writes a line at most once in complainEvery, and counts the
// others. It takes no attributes beforehand.
type seldom struct {
	slog.Handler
	mu         sync.Mutex
	last       time.Time
	suppressed int
}

// Handle is [slog.Handler].
func (h *seldom) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	if r.Time.Sub(h.last) < complainEvery {
		h.suppressed++
		h.mu.Unlock()
		return nil
	}
	suppressed := h.suppressed
	h.last, h.suppressed = r.Time, 0
	h.mu.Unlock()
	if suppressed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("suppressed", suppressed))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is [slog.Handler].
func (h *seldom) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup is [slog.Handler].
func (h *seldom) WithGroup(string) slog.Handler { return h }
