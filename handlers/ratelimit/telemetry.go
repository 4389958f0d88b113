package ratelimit

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"millstream/handlers/store"
)

// The names of instruments. Their labels are the name of the limit, as "limit", and what
// was decided, as "result": "within" or "over".
const (
	// MetricDecisions counts what was asked of limits.
	MetricDecisions = "ratelimit.decisions"

	// MetricKeys counts users, clients and so on that went over a limit, once in each of its
	// windows.
	MetricKeys = "ratelimit.keys"
)

// counts are the measurements of one limit.
type counts struct {
	decisions, keys    metric.Int64Counter
	within, over, name []metric.AddOption
}

// newCounts makes the instruments of a limit, with the labels of its filter. meter may be
// nil.
func newCounts(meter metric.Meter, limit string, labels []attribute.KeyValue) (*counts, error) {
	if meter == nil {
		meter = noop.Meter{}
	}
	c := &counts{}
	var err error
	if c.decisions, err = meter.Int64Counter(MetricDecisions, metric.WithUnit("{decision}"),
		metric.WithDescription("Decisions of rate limits.")); err != nil {
		return nil, err
	}
	if c.keys, err = meter.Int64Counter(MetricKeys, metric.WithUnit("{key}"),
		metric.WithDescription("Users, clients and others that went over a rate limit, once in each window.")); err != nil {
		return nil, err
	}
	name, result := attribute.String("limit", limit), attribute.Key("result")
	all := func(kv ...attribute.KeyValue) []metric.AddOption {
		return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(slices.Concat(labels, kv)...))}
	}
	c.within, c.over, c.name = all(name, result.String("within")), all(name, result.String("over")), all(name)
	return c, nil
}

// decided counts a decision.
func (c *counts) decided(within bool) {
	labels := c.within
	if !within {
		labels = c.over
	}
	c.decisions.Add(context.Background(), 1, labels...)
}

// tell tells that a key went over the limit, once in each window. The store remembers
// that, so it has a limit of memory and an end.
func (l *limit) tell(q *question, key string, v values) {
	ctx := q.s.Context()
	over := l.filter.counters.Incr(ctx, "over"+nul+key, 1, store.Window{Length: l.Window})
	if over.N != 1 {
		return
	}
	l.counts.keys.Add(ctx, 1, l.counts.name...)
	left, ok := l.filter.pace.next(time.Now())
	if !ok {
		return
	}
	attrs := []slog.Attr{
		slog.String("limit", l.Name),
		slog.String("key", strings.ReplaceAll(strings.TrimPrefix(key, l.key.prefix), nul, " ")),
		slog.Int64("allowed", v.limit), slog.String("what", l.What), slog.Duration("window", v.window),
		slog.Time("until", v.until), slog.String("action", l.action()),
	}
	if left > 0 {
		attrs = append(attrs, slog.Int("left_out", left))
	}
	l.filter.log.LogAttrs(ctx, slog.LevelWarn, "rate limit reached", attrs...)
}

// maxLines is how many lines are logged in a second.
const maxLines = 5

// A pace is how fast lines are logged.
type pace struct {
	mu    sync.Mutex
	since time.Time // when the present second began
	lines int       // in this second
	left  int       // out since the last line
}

// next reports whether a line may be logged now, and how many were left out before it.
func (p *pace) next(now time.Time) (left int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.since) >= time.Second {
		p.since, p.lines = now, 0
	}
	if p.lines == maxLines {
		p.left++
		return 0, false
	}
	p.lines++
	left, p.left = p.left, 0
	return left, true
}
