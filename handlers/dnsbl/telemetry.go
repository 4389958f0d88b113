package dnsbl

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"millstream/protocol"
)

// scope is the name under which measurements are taken.
const scope = "millstream/handlers/dnsbl"

// MetricAnswers is the name of the counter of look-ups.
const MetricAnswers = "dnsbl.answers"

// The names of attributes.
const (
	attrZone   = attribute.Key("dnsbl.zone")
	attrResult = attribute.Key("dnsbl.result")
)

// measured counts what a list answers.
type measured struct {
	answers               metric.Int64Counter
	listed, clean, failed metric.AddOption
}

// measure has the look-ups of lists counted. p may be nil.
func measure(lists []*list, p metric.MeterProvider) error {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	answers, err := p.Meter(scope).Int64Counter(MetricAnswers, metric.WithUnit("{lookup}"),
		metric.WithDescription("Look-ups in lists, by zone and result."))
	if err != nil {
		return fmt.Errorf("%w: meter: %w", protocol.ErrInvalidArgument, err)
	}
	for _, l := range lists {
		option := func(result string) metric.AddOption {
			return metric.WithAttributeSet(attribute.NewSet(attrZone.String(l.name), attrResult.String(result)))
		}
		l.measured = measured{answers, option("listed"), option("clean"), option("failed")}
	}
	return nil
}

// count counts an answer.
func (m *measured) count(ctx context.Context, found *finding, err error) {
	result := m.clean
	switch {
	case err != nil:
		result = m.failed
	case found != nil:
		result = m.listed
	}
	m.answers.Add(ctx, 1, result)
}
