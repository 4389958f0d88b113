package main

import (
	"fmt"
	"log/slog"
	"strings"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel/propagation"
	notrace "go.opentelemetry.io/otel/trace/noop"

	"millstream/cmd/internal/config"
	"millstream/handlers"
	"millstream/handlers/traceparent"
)

// propagatorFor returns what tells other programs of a trace, and is told by them. list
// is that of OTEL_PROPAGATORS; an empty one is the default of OpenTelemetry.
func propagatorFor(list string) (propagation.TextMapPropagator, error) {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			names = append(names, name)
		}
	}
	if names == nil {
		names = []string{"tracecontext", "baggage"}
	}
	p, err := autoprop.TextMapPropagator(names...)
	if err != nil {
		return nil, fmt.Errorf("OTEL_PROPAGATORS: %w; there are tracecontext, baggage, b3, b3multi, jaeger, xray, ottrace and none", err)
	}
	return p, nil
}

// networks reads the networks of --trace-trust.
func networks(list []string) ([]config.Network, error) {
	nets := make([]config.Network, len(list))
	for i, text := range list {
		if err := nets[i].UnmarshalText([]byte(text)); err != nil {
			return nil, usageError{fmt.Errorf("trace trust: %q %w", text, err)}
		}
	}
	return nets, nil
}

// followed returns h with what a configuration says of the header Traceparent before it.
func followed(o *config.OTel, h handlers.Handler, told *telemetry, log *slog.Logger) handlers.Handler {
	if len(o.TraceTrust) == 0 && !o.TraceInsert {
		return h
	}
	if _, off := told.tracer.(notrace.TracerProvider); off {
		log.Warn("no traces are made, so trace_trust and trace_insert, or --trace-trust and --trace-insert, do nothing: name a collector in OTEL_EXPORTER_OTLP_ENDPOINT")
		return h
	}
	return handlers.Chain(traceparent.New(traceparent.Config{Trust: config.Prefixes(o.TraceTrust), Insert: o.TraceInsert, Log: log}), h)
}
