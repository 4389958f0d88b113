package main

import (
	"encoding/hex"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	notrace "go.opentelemetry.io/otel/trace/noop"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"millstream/cmd/internal/config"
	"millstream/handlers"
	"millstream/protocol"
)

const (
	remoteTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	remoteSpan  = "00f067aa0ba902b7"
	sampledMail = "Traceparent: 00-" + remoteTrace + "-" + remoteSpan + "-01\n"
)

// isLinked checks that a span is linked to the one that sampledMail names.
func isLinked(t *testing.T, s *tracepb.Span) {
	t.Helper()
	if len(s.Links) != 1 || hex.EncodeToString(s.Links[0].TraceId) != remoteTrace || hex.EncodeToString(s.Links[0].SpanId) != remoteSpan {
		t.Errorf("%s has the links %v", s.Name, s.Links)
	}
}

// ownParent returns the header that names a span.
func ownParent(s *tracepb.Span) string {
	return "00-" + hex.EncodeToString(s.TraceId) + "-" + hex.EncodeToString(s.SpanId) + "-01"
}

// TestParent sends mails that belong to another trace to a server that samples
// nothing: those of trusted clients are traced, and pass the trace on.
func TestParent(t *testing.T) {
	c := startCollector(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	f := serveFlags{trusted: []string{"198.51.100.1", "192.0.2.0/24"}, insert: true}
	s := startServe(t, f, func(log *slog.Logger) handlers.Handler {
		return scanned(log, func(*handlers.Session) handlers.Reply { return handlers.Continue })
	})
	client := func(ip string) protocol.Addr {
		return protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr(ip)}
	}
	for _, o := range slices.Concat(
		deliverFrom(t, s.socket, client("192.0.2.7"), mail("plain"), mailWith("unsampled", strings.Replace(sampledMail, "-01", "-00", 1))),
		deliverFrom(t, s.socket, client("198.51.100.2"), mailWith("outside", sampledMail)),
	) {
		if len(o.Changes) > 0 {
			t.Errorf("changes %v", o.Changes)
		}
	}
	traced := deliverFrom(t, s.socket, client("192.0.2.7"), mailWith("traced", sampledMail))[0]
	s.stop(t)

	session, message, visit := c.one(t, "milter.session"), c.one(t, "milter.message"), c.one(t, "milter.handler scan")
	hasAttributes(t, session, map[string]string{"milter.keep": "parent"})
	hasAttributes(t, message, map[string]string{"milter.queue_id": "traced"})
	isLinked(t, message)
	if string(message.ParentSpanId) != string(session.SpanId) || string(visit.ParentSpanId) != string(message.SpanId) {
		t.Error("the spans are no tree")
	}
	if n := len(traced.Changes); n != 2 || traced.Changes[0].Code != protocol.CodeChangeHeader || string(traced.Changes[0].Value) != "" ||
		string(traced.Changes[1].Name) != "Traceparent" || string(traced.Changes[1].Value) != ownParent(message) {
		t.Errorf("changes %v", traced.Changes)
	}
}

// TestParentSampled checks that the span of a session that is sampled takes the link
// too.
func TestParentSampled(t *testing.T) {
	c := startCollector(t)
	s := startServe(t, serveFlags{trusted: []string{"::/0", "0.0.0.0/0"}}, defaultFilter)
	addr := protocol.Addr{Family: protocol.FamilyInet6, IP: netip.MustParseAddr("2001:db8::1")}
	deliverFrom(t, s.socket, addr, mailWith("Q1", sampledMail))
	s.stop(t)
	isLinked(t, c.one(t, "milter.message"))
}

// TestParentOff checks that a server without traces does not ask for headers, and says
// why the flags do nothing.
func TestParentOff(t *testing.T) {
	noVariables(t)
	f := serveFlags{trusted: []string{"0.0.0.0/0"}, insert: true}
	s := startServe(t, f, defaultFilter)
	deliverAll(t, s.socket, mail("Q1"))
	if log := s.stop(t); strings.Count(log, "no traces are made") != 1 {
		t.Errorf("log\n%s", log)
	}
	h := handlers.Need(handlers.KindHelo)
	if w := followed(&config.OTel{TraceInsert: true}, h, &telemetry{tracer: notrace.NewTracerProvider()}, slog.New(slog.DiscardHandler)).Wants(); w != h.Wants() {
		t.Errorf("the MTA is asked for %v", w)
	}
}

func TestNetworks(t *testing.T) {
	got, err := networks([]string{"192.0.2.7", "2001:db8::/32", "::1"})
	want := []config.Network{
		config.Network(netip.MustParsePrefix("192.0.2.7/32")), config.Network(netip.MustParsePrefix("2001:db8::/32")),
		config.Network(netip.MustParsePrefix("::1/128")),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "192.0.2.0/33", "mx.example.org", "192.0.2", "10.0.0.0/8,192.0.2.0/24"} {
		f := serveFlags{mode: "0600", addresses: "off", trusted: []string{text}}
		if _, err := f.load(); err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), "trace trust") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPropagators(t *testing.T) {
	for _, tt := range []struct{ list, fields string }{
		{"", "baggage traceparent tracestate"},
		{" , ", "baggage traceparent tracestate"},
		{" TraceContext , baggage", "baggage traceparent tracestate"},
		{"tracecontext", "traceparent tracestate"},
		{"b3", "b3"},
		{"jaeger,baggage", "baggage uber-trace-id"},
		{"none", ""},
	} {
		p, err := propagatorFor(tt.list)
		if err != nil {
			t.Errorf("%q: %v", tt.list, err)
			continue
		}
		fields := p.Fields()
		slices.Sort(fields)
		if got := strings.Join(fields, " "); got != tt.fields {
			t.Errorf("%q has the fields %s, want %s", tt.list, got, tt.fields)
		}
	}
}
