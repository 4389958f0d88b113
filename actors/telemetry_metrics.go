package actors

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"millstream/handlers"
	"millstream/protocol"
)

// The names of instruments.
const (
	MetricSessionsActive  = "milter.sessions.active"
	MetricSessions        = "milter.sessions"
	MetricMessages        = "milter.messages"
	MetricStageDuration   = "milter.stage.duration"
	MetricHandlerDuration = "milter.handler.duration"
	MetricReplyWait       = "milter.reply.wait"
	MetricIO              = "milter.io"
	MetricPending         = "milter.replies.pending"
	MetricWorkers         = "milter.workers.active"
	MetricWorkersQueued   = "milter.workers.queued"
	MetricQueue           = "milter.queue.depth"
	MetricErrors          = "milter.errors"
	MetricProtocolErrors  = "milter.protocol.errors"
	MetricRefused         = "milter.connections.refused"
	MetricLimits          = "milter.limits.hit"
	MetricStale           = "milter.responses.stale"
)

// seconds are the bounds of histograms: from what a function costs that only looks, to
// what an MTA waits at most.
var seconds = []float64{
	10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3,
	1, 2.5, 5, 10, 30, 60, 120, 300,
}

// unmeasured takes no measurements.
var unmeasured metric.MeterProvider = noop.NewMeterProvider()

// instruments are what a System is measured with. Values of attributes are few:
// never addresses.
type instruments struct {
	messages        metric.Int64Counter
	stageDuration   metric.Float64Histogram
	handlerDuration metric.Float64Histogram
	replyWait       metric.Float64Histogram
	faults          metric.Int64Counter
	stop            func() // ends the observation; what was counted stays: counters do not go back
	verdicts        map[string]metric.MeasurementOption
	stages          [handlers.KindFinished + 1][]metric.RecordOption
	handlers        sync.Map // from a visitKey to the []metric.RecordOption of it
}

// create makes the instruments.
func (m *instruments) create(meter metric.Meter, sys *System) (err error) {
	keep := func(e error) {
		err = errors.Join(err, e)
	}
	histogram := func(name, description string) metric.Float64Histogram {
		h, e := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(seconds...))
		keep(e)
		return h
	}
	counter := func(name, unit, description string) metric.Int64Counter {
		c, e := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(e)
		return c
	}
	m.messages = counter(MetricMessages, "{message}", "Messages that have ended, by verdict.")
	m.faults = counter(MetricErrors, "{error}", "Errors of sessions, by kind.")
	m.stageDuration = histogram(MetricStageDuration, "Time that the MTA waited for the answer to a stage.")
	m.handlerDuration = histogram(MetricHandlerDuration, "Time that a named handler took for an event.")
	m.replyWait = histogram(MetricReplyWait, "Time that the MTA waited for answers in all of a message.")
	keep(m.observe(meter, sys))
	keep(observeCounts(meter, sys.counts))
	m.verdicts = map[string]metric.MeasurementOption{}
	for s := range protocol.StatusAbort + 1 {
		for _, word := range []string{verdictOf(s, false), verdictOf(s, true)} {
			m.verdicts[word] = metric.WithAttributeSet(attribute.NewSet(attrVerdict.String(word)))
		}
	}
	for k := range handlers.KindFinished + 1 {
		m.stages[k] = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrStage.String(k.String())))}
	}
	return err
}

// observe makes the instruments whose values are looked up when they are asked for.
func (m *instruments) observe(meter metric.Meter, sys *System) (err error) {
	gauge := func(name, unit, description string) metric.Int64ObservableUpDownCounter {
		g, e := meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		err = errors.Join(err, e)
		return g
	}
	total := func(name, unit, description string) metric.Int64ObservableCounter {
		c, e := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		err = errors.Join(err, e)
		return c
	}
	active := gauge(MetricSessionsActive, "{session}", "Sessions that are open.")
	pending := gauge(MetricPending, "{reply}", "Sessions whose answer is pending.")
	workers := gauge(MetricWorkers, "{function}", "Functions of handlers that run off the event loops.")
	depth := gauge(MetricQueue, "{item}", "What waits for event loops: messages in the mailboxes of sessions, and the sessions themselves.")
	queued := gauge(MetricWorkersQueued, "{function}", "Functions of handlers that wait to run.")
	sessions := total(MetricSessions, "{session}", "Sessions that were opened.")
	stale := total(MetricStale, "{response}", "Answers of handlers that came too late.")
	bytes := total(MetricIO, "By", "Bytes from and to MTAs.")
	if err != nil { // as above
		return err
	}
	in := metric.WithAttributeSet(attribute.NewSet(attrDirection.String("receive")))
	out := metric.WithAttributeSet(attribute.NewSet(attrDirection.String("transmit")))
	mailboxes := metric.WithAttributeSet(attribute.NewSet(attrQueue.String("mailbox")))
	loops := metric.WithAttributeSet(attribute.NewSet(attrQueue.String("loop")))
	counted := func(o metric.Observer, now totals, late int64) {
		o.ObserveInt64(sessions, now.opened)
		o.ObserveInt64(stale, late)
		o.ObserveInt64(bytes, int64(now.in), in)
		o.ObserveInt64(bytes, int64(now.out), out)
	}
	observed, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := sys.totals()
		counted(o, now, sys.stale.Load())
		o.ObserveInt64(active, now.active)
		o.ObserveInt64(pending, now.pending)
		o.ObserveInt64(depth, now.queued, mailboxes)
		o.ObserveInt64(depth, now.scheduled, loops)
		running, waiting := sys.workers.counts()
		o.ObserveInt64(workers, running)
		o.ObserveInt64(queued, waiting)
		return nil
	}, active, pending, workers, queued, depth, sessions, stale, bytes)
	m.stop = func() {
		if err != nil || observed.Unregister() != nil { // nothing is observed
			return
		}
		last, late := sys.totals(), sys.stale.Load()
		_, _ = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			counted(o, last, late)
			return nil
		}, sessions, stale, bytes)
	}
	return err
}

// measures reports whether anyone takes measurements.
func (m *instruments) measures() bool { return m.messages.Enabled(context.Background()) }

// stage measures the answer to an event.
func (m *instruments) stage(ctx context.Context, e *Stage) {
	m.stageDuration.Record(ctx, e.Took.Seconds(), m.stages[e.Event]...)
}

// message measures a message.
func (m *instruments) message(ctx context.Context, o *handlers.Outcome, waited time.Duration) {
	m.messages.Add(ctx, 1, m.verdicts[verdictOf(o.Status, o.Quarantined)])
	m.replyWait.Record(ctx, waited.Seconds())
}

// visitKey is what calls of named handlers are told apart by.
type visitKey struct {
	handler string
	failed  bool
}

// visited measures a call of a named handler. Names are few, so what is made for each
// is kept.
func (m *instruments) visited(ctx context.Context, v *Visit) {
	key := visitKey{v.Handler, v.Failed}
	options, ok := m.handlers.Load(key)
	if !ok {
		result := "ok"
		if v.Failed {
			result = "failed"
		}
		options, _ = m.handlers.LoadOrStore(key, []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
			attrHandler.String(v.Handler), attrResult.String(result)))})
	}
	m.handlerDuration.Record(ctx, v.Took.Seconds(), options.([]metric.RecordOption)...)
}

// fault counts an error of a kind.
func (m *instruments) fault(ctx context.Context, kind string) {
	m.faults.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(attrErrorKind.String(kind))))
}
