package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel/propagation"
	notrace "go.opentelemetry.io/otel/trace/noop"

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

// networks reads the networks of --trace-trust. A lone address is a network of one.
func networks(list []string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, text := range list {
		ip, err := netip.ParseAddr(text)
		network := netip.PrefixFrom(ip, ip.BitLen())
		if err != nil {
			network, err = netip.ParsePrefix(text)
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("trace trust: %q is no network, such as 192.0.2.0/24 or 2001:db8::/32", text)}
		}
		nets = append(nets, network)
	}
	return nets, nil
}

// followed returns h with what --trace-trust and --trace-insert ask for before it.
func (f *serveFlags) followed(h handlers.Handler, told *telemetry, log *slog.Logger) handlers.Handler {
	if len(f.trust) == 0 && !f.insert {
		return h
	}
	if _, off := told.tracer.(notrace.TracerProvider); off {
		log.Warn("no traces are made, so --trace-trust and --trace-insert do nothing: name a collector in OTEL_EXPORTER_OTLP_ENDPOINT")
		return h
	}
	return handlers.Chain(traceparent.New(traceparent.Config{Trust: f.trust, Insert: f.insert, Log: log}), h)
}
