package main

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"millstream/actors"
	"millstream/handlers"
	"millstream/netio/mta"
	"millstream/protocol"
)

// scanned is a filter whose handler "scan" asks a service, and answers with a status.
func scanned(log *slog.Logger, answer func(*handlers.Session) handlers.Reply) handlers.Handler {
	return handlers.Chain(
		handlers.Named("scan", handlers.Go(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
			_, span := otel.Tracer("client").Start(s.Context(), "ask", trace.WithSpanKind(trace.SpanKindClient))
			defer span.End()
			return answer(s)
		})),
		logMessages(log),
		handlers.Need(handlers.KindConnect, handlers.KindHelo, handlers.KindEnvelopeFrom, handlers.KindEnvelopeRecipient,
			handlers.KindBody),
	)
}

// deliverAll does mails on one connection, as an MTA, and closes it.
func deliverAll(t *testing.T, socket string, mails ...*mta.Mail) (verdicts []protocol.Status) {
	t.Helper()
	for _, o := range deliverFrom(t, socket, protocol.Addr{Family: protocol.FamilyUnknown}, mails...) {
		verdicts = append(verdicts, o.Status)
	}
	return verdicts
}

// deliverFrom is deliverAll for an SMTP client with an address.
func deliverFrom(t *testing.T, socket string, addr protocol.Addr, mails ...*mta.Mail) (outcomes []mta.Outcome) {
	t.Helper()
	c := connect(t, socket)
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	client := &mta.Client{
		Connect: protocol.Connect{Host: protocol.View("client.example"), Addr: addr},
		Helo:    protocol.Helo{Name: protocol.View("helo.example")},
	}
	if _, err := c.Greet(client); err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		o, err := c.Deliver(m)
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, o)
	}
	if err := c.Send(&protocol.Quit{}); err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func mail(id string) *mta.Mail { return mailWith(id, "") }

// mailWith is a mail with another header before its own.
func mailWith(id, header string) *mta.Mail {
	m := mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, []byte(header+"Subject: hi\n\nHello\n"))
	m.ID = id
	return m
}

// TestTelemetry does one mail and looks at all that a collector gets of it.
func TestTelemetry(t *testing.T) {
	c := startCollector(t)
	t.Setenv("OTEL_SERVICE_NAME", "hub")
	s := startServe(t, serveFlags{addresses: "clear"}, func(log *slog.Logger) handlers.Handler {
		return scanned(log, func(*handlers.Session) handlers.Reply { return handlers.Continue })
	})
	deliverFrom(t, s.socket, protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.77"), Port: 4711}, mail("Q1"))
	log := s.stop(t)

	session, message := c.one(t, "milter.session"), c.one(t, "milter.message")
	visit, asked := c.one(t, "milter.handler scan"), c.one(t, "ask")
	areNested(t, session, message, visit, asked)
	if len(session.ParentSpanId) > 0 || session.Kind != tracepb.Span_SPAN_KIND_SERVER {
		t.Errorf("session %v", session)
	}
	hasAttributes(t, message, map[string]string{
		"milter.queue_id": "Q1", "milter.verdict": "continue", "milter.session.id": attributesOf(session.Attributes)["milter.session.id"],
		"milter.stage": "end-of-message-replied", "mail.recipients": "1", "mail.body.size": "7", "mail.from": "<a@example.com>",
		"mail.helo": "helo.example", "milter.client.network": "192.0.2.0/24",
	})
	hasAttributes(t, visit, map[string]string{"milter.handler": "scan", "milter.stage": "end-of-message"})
	var stages []string
	for _, e := range message.Events {
		stages = append(stages, e.Name)
	}
	if got := strings.Join(stages, " "); got != "envelope-from envelope-recipient body end-of-message" {
		t.Errorf("stages %s", got)
	}
	if c.resource["service.name"] != "hub" || c.resource["service.version"] != version() || c.resource["host.name"] == "" {
		t.Errorf("resource %v", c.resource)
	}
	hasMeasured(t, c)
	hasVerdict(t, c, "continue")
	hasLogged(t, c, log, message, "qid=Q1", "helo=helo.example", "from=<a@example.com>", "rcpts=1", "size=7", "verdict=continue",
		"stage=end-of-message")
}

func hasAttributes(t *testing.T, s *tracepb.Span, want map[string]string) {
	t.Helper()
	got := attributesOf(s.Attributes)
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: %s is %q, want %q", s.Name, key, got[key], value)
		}
	}
}

// hasMeasured checks the measurements of one mail.
func hasMeasured(t *testing.T, c *collector) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, want := range map[string]int64{actors.MetricSessions: 1, actors.MetricMessages: 1, actors.MetricStale: 0} {
		points := c.metrics[name].GetSum().GetDataPoints()
		if len(points) != 1 || points[0].GetAsInt() != want {
			t.Errorf("%s is %v, want %d", name, points, want)
		}
	}
	for name, want := range map[string]uint64{actors.MetricReplyWait: 1, actors.MetricHandlerDuration: 1} {
		points := c.metrics[name].GetHistogram().GetDataPoints()
		if len(points) != 1 || points[0].Count != want || len(points[0].Exemplars) == 0 {
			t.Errorf("%s is %v", name, points)
		}
	}
	moved := map[string]int64{}
	for _, p := range c.metrics[actors.MetricIO].GetSum().GetDataPoints() {
		moved[attributesOf(p.Attributes)["network.io.direction"]] = p.GetAsInt()
	}
	if moved["receive"] == 0 || moved["transmit"] == 0 {
		t.Errorf("bytes %v", moved)
	}
	for _, name := range []string{actors.MetricStageDuration, "go.goroutine.count", "otel.sdk.span.started"} {
		if c.metrics[name] == nil {
			t.Errorf("no %s among %v", name, namesOf(c.metrics))
		}
	}
}

func namesOf(m map[string]*metricspb.Metric) (list []string) {
	for name := range m {
		list = append(list, name)
	}
	return list
}

// hasLogged checks that the line of a message has the words, that its record has the
// same queue id, and that both say where it is traced.
func hasLogged(t *testing.T, c *collector, log string, message *tracepb.Span, words ...string) {
	t.Helper()
	var line string
	for l := range strings.Lines(log) {
		if strings.Contains(l, "msg=message ") {
			line = l
		}
	}
	for _, want := range append(words, "trace_id="+hex.EncodeToString(message.TraceId), "span_id="+hex.EncodeToString(message.SpanId)) {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var record *logspb.LogRecord
	for _, r := range c.records {
		if textOf(r.Body) == "message" {
			record = r
		}
	}
	if record == nil || !bytes.Equal(record.TraceId, message.TraceId) || !bytes.Equal(record.SpanId, message.SpanId) ||
		attributesOf(record.Attributes)["qid"] != attributesOf(message.Attributes)["milter.queue_id"] {
		t.Errorf("record %v", record)
	}
}
