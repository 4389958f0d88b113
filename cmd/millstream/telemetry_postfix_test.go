package main

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"millstream/actors"
	"millstream/bench/e2e"
	"millstream/handlers"
)

// behindPostfix starts a Postfix and the server that it asks about a filter.
func behindPostfix(t *testing.T, f serveFlags, filter func(*slog.Logger) handlers.Handler) (*e2e.Postfix, *served) {
	t.Helper()
	path := filepath.Join(e2e.SocketDir(t), "milter")
	postfix := e2e.StartPostfix(t, &net.UnixAddr{Name: path, Net: "unix"})
	f.sockets, f.mode = []string{"unix:" + path}, "0666"
	return postfix, startServe(t, f, filter)
}

// startScanner starts the service that asks asks. The channel has the header of each
// request.
func startScanner(t *testing.T) (url string, asked chan http.Header) {
	t.Helper()
	asked = make(chan http.Header, 8)
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header }))
	t.Cleanup(service.Close)
	return service.URL, asked
}

// ask asks a service about a message, within a span of its own, and tells it of the
// trace.
func ask(s *handlers.Session, url string) handlers.Reply {
	ctx, span := otel.Tracer("client").Start(s.Context(), "ask", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return handlers.Failed(err)
	}
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(r.Header))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return handlers.Failed(err)
	}
	_ = answer.Body.Close()
	return handlers.Continue
}

// asking is a filter whose handler "scan" asks a service about each message.
func asking(url string) func(*slog.Logger) handlers.Handler {
	return func(log *slog.Logger) handlers.Handler {
		return handlers.Chain(
			handlers.Named("scan", handlers.Go(func(s *handlers.Session, _ *handlers.Message) handlers.Reply { return ask(s, url) })),
			defaultFilter(log),
		)
	}
}

// TestPostfix sends one mail through a real Postfix, and finds it in the traces, the
// metrics and the log of the collector, and in what the filter asked.
func TestPostfix(t *testing.T) {
	c := startCollector(t)
	url, asked := startScanner(t)
	postfix, s := behindPostfix(t, serveFlags{}, asking(url))
	queue, _ := postfix.Deliver(t)
	log := s.stop(t)

	message := c.one(t, "milter.message")
	session := c.sessionOf(t, message)
	visit, client := c.one(t, "milter.handler scan"), c.one(t, "ask")
	areNested(t, session, message, visit, client)
	if client.Kind != tracepb.Span_SPAN_KIND_CLIENT || (<-asked).Get("Traceparent") != ownParent(client) {
		t.Errorf("the service was not told of %v", client)
	}
	hasAttributes(t, message, map[string]string{
		"milter.queue_id": queue, "milter.verdict": "continue", "mail.recipients": "1",
		"milter.session.id": attributesOf(session.Attributes)["milter.session.id"],
	})
	hasVerdict(t, c, "continue")
	hasExemplars(t, c, actors.MetricStageDuration, message)
	hasExemplars(t, c, actors.MetricReplyWait, message)
	hasExemplars(t, c, actors.MetricHandlerDuration, visit)
	hasLogged(t, c, log, message, "qid="+queue, "from=<from@from.example.org>", "verdict=continue")
}

// TestPostfixParent sends a mail that belongs to another trace through a real Postfix
// to a server that samples nothing: it is traced, and delivered with the span of its
// message.
func TestPostfixParent(t *testing.T) {
	c := startCollector(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	url, asked := startScanner(t)
	postfix, s := behindPostfix(t, serveFlags{trusted: []string{"127.0.0.0/8"}, insert: true}, asking(url))
	theirs := strings.TrimSuffix(sampledMail, "\n")
	_, plain := postfix.Deliver(t)
	_, several := postfix.Deliver(t, theirs, theirs)
	queue, traced := postfix.Deliver(t, theirs, "Tracestate: them=1")
	s.stop(t)

	message := c.one(t, "milter.message")
	session, client := c.sessionOf(t, message), c.one(t, "ask")
	areNested(t, session, message, c.one(t, "milter.handler scan"), client)
	hasAttributes(t, session, map[string]string{"milter.keep": "parent"})
	hasAttributes(t, message, map[string]string{"milter.queue_id": queue})
	isLinked(t, message)
	for _, tt := range []struct {
		data   []byte
		parent []string
		state  []string
	}{
		{plain, nil, nil},
		{several, slices.Repeat([]string{strings.TrimPrefix(theirs, "Traceparent: ")}, 2), nil},
		{traced, []string{ownParent(message)}, nil},
	} {
		m, err := netmail.ReadMessage(bytes.NewReader(tt.data))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Header["Traceparent"]; !slices.Equal(got, tt.parent) {
			t.Errorf("delivered with %q, want %q", got, tt.parent)
		}
		if got := m.Header["Tracestate"]; !slices.Equal(got, tt.state) {
			t.Errorf("delivered with %q, want %q", got, tt.state)
		}
	}
	for range 2 {
		<-asked
	}
	if got := (<-asked).Get("Traceparent"); got != ownParent(client) {
		t.Errorf("the service was told of %s", got)
	}
}

// sessionOf returns the span of the session of a message. There is another session, of
// who looked whether Postfix takes mail.
func (c *collector) sessionOf(t *testing.T, message *tracepb.Span) *tracepb.Span {
	t.Helper()
	sessions := c.named("milter.session")
	i := slices.IndexFunc(sessions, func(s *tracepb.Span) bool { return bytes.Equal(s.SpanId, message.ParentSpanId) })
	if i < 0 {
		t.Fatalf("the message is in none of the sessions %v", sessions)
	}
	return sessions[i]
}

// areNested checks that each span is below the one before it, in one trace.
func areNested(t *testing.T, spans ...*tracepb.Span) {
	t.Helper()
	for i, s := range spans[1:] {
		if above := spans[i]; !bytes.Equal(above.SpanId, s.ParentSpanId) || !bytes.Equal(above.TraceId, s.TraceId) {
			t.Errorf("%s is not below %s", s.Name, above.Name)
		}
	}
}

// hasVerdict checks that one message was counted, with a verdict.
func hasVerdict(t *testing.T, c *collector, verdict string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	points := c.metrics[actors.MetricMessages].GetSum().GetDataPoints()
	if len(points) != 1 || points[0].GetAsInt() != 1 || attributesOf(points[0].Attributes)["milter.verdict"] != verdict {
		t.Errorf("%s is %v", actors.MetricMessages, points)
	}
}

// hasExemplars checks that a histogram leads to a span.
func hasExemplars(t *testing.T, c *collector, name string, s *tracepb.Span) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	leads := func(e *metricspb.Exemplar) bool {
		return bytes.Equal(e.TraceId, s.TraceId) && bytes.Equal(e.SpanId, s.SpanId)
	}
	points := c.metrics[name].GetHistogram().GetDataPoints()
	if !slices.ContainsFunc(points, func(p *metricspb.HistogramDataPoint) bool { return slices.ContainsFunc(p.Exemplars, leads) }) {
		t.Errorf("%s does not lead to %s %s: %v", name, s.Name, hex.EncodeToString(s.SpanId), points)
	}
}
