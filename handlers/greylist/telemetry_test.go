package greylist_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"millstream/handlers/greylist"
)

// label is that of the filter, which all measurements have.
var label = attribute.String("filter", "first")

// meter notes what is measured, as lines.
type meter struct {
	noop.Meter
	lines []string
}

// note notes a line with the label of the filter.
func (m *meter) note(set attribute.Set, line string) {
	value, _ := set.Value(label.Key)
	m.lines = append(m.lines, value.AsString()+" "+line)
}

func (m *meter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return counter{name: name, meter: m}, nil
}

func (m *meter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return histogram{name: name, meter: m}, nil
}

type counter struct {
	noop.Int64Counter
	name  string
	meter *meter
}

func (c counter) Add(_ context.Context, n int64, options ...metric.AddOption) {
	set := metric.NewAddConfig(options).Attributes()
	value, _ := set.Value(greylist.AttributeResult)
	c.meter.note(set, fmt.Sprint(c.name, " ", value.AsString(), " ", n))
}

type histogram struct {
	noop.Float64Histogram
	name  string
	meter *meter
}

func (h histogram) Record(_ context.Context, v float64, options ...metric.RecordOption) {
	h.meter.note(metric.NewRecordConfig(options).Attributes(), fmt.Sprint(h.name, " ", v))
}

// What is decided is counted, and the log tells of a network that is not delayed any more.
func TestTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		var log strings.Builder
		s := greylist.Defaults()
		s.WhitelistAfter = 1
		h, err := greylist.New(s, nil, memoryStore(t), &m, slog.New(slog.NewTextHandler(&log, nil)), label)
		if err != nil {
			t.Fatal(err)
		}
		send(t, h, "127.0.0.1", from, to)
		send(t, h, client, from, to)
		time.Sleep(time.Minute)
		send(t, h, client, from, to)
		time.Sleep(9 * time.Minute)
		send(t, h, client, from, to, "c@example.net")
		send(t, h, client, "x@example.com", to)
		expect(t, "measured", m.lines,
			"first greylist.decisions skipped 1", "first greylist.decisions deferred 1", "first greylist.decisions early 1",
			"first greylist.decisions passed 1", "first greylist.delay 600", "first greylist.decisions whitelisted 1", "first greylist.decisions whitelisted 1")
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "network=192.0.2.0/24 messages=1") {
			t.Errorf("log:\n%s", text)
		}
	})
}
