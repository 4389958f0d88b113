package main

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// messagesIn returns how many messages were counted.
func messagesIn(text string) (n int) {
	for line := range strings.Lines(text) {
		if count, ok := strings.CutPrefix(line, "milter_messages_total{"); ok {
			_, value, _ := strings.Cut(strings.TrimSpace(count), " ")
			some, _ := strconv.Atoi(value)
			n += some
		}
	}
	return n
}

// TestSeries checks that measurements do not become more with what strangers send.
func TestSeries(t *testing.T) {
	noVariables(t)
	o, told := scrapedSession(t)
	const many = 1_000_000
	feed(o, 0, 100)
	_, before := scrape(t, told, "")
	feed(o, 100, many)
	text, after := scrape(t, told, "")
	if n := messagesIn(text); n != many {
		t.Errorf("%d messages of %d", n, many)
	}
	if after != before {
		t.Errorf("%d series after 100 messages, %d after %d", before, after, many)
	}
	for _, secret := range []string{"@example", "helo", "Q99999"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the measurements", secret)
		}
	}
	for _, want := range []string{
		`milter_messages_total{milter_verdict="reject"}`, `milter_messages_total{milter_verdict="tempfail"}`,
		`milter_sessions_active 1`, `milter_handler_duration_seconds_bucket{milter_handler="check",milter_result="failed",le="1e-05"}`,
		`milter_errors_total{error_type="handler"}`, "go_goroutines ", "target_info",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// deaf is a connection that takes everything.
type deaf struct{}

func (deaf) Write([]byte) error   { return nil }
func (deaf) Unsent() int          { return 0 }
func (deaf) Close(time.Duration)  {}
func (deaf) Post(func()) error    { return nil }
func (deaf) RemoteAddr() net.Addr { return protocol.Addr{} }

// TestSeriesOfStrangers checks that measurements do not become more with what is no
// mail at all: each connection sends something else that no MTA does.
func TestSeriesOfStrangers(t *testing.T) {
	noVariables(t)
	quiet := slog.New(slog.DiscardHandler)
	told, err := openTelemetry(t.Context(), quiet, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.close(t.Context()) })
	sys, err := actors.NewSystem(actors.Config{Log: quiet, Meter: told.meter}, handlers.Shared(handlers.Need(handlers.KindHelo)))
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Stop()
	loop := sys.NewLoop()
	offer := slices.Clip((&protocol.Negotiate{Offer: protocol.Options{Version: 6}}).Append(nil))
	come := func(from, to int) {
		for i := from; i < to; i++ {
			b := [...][]byte{
				fmt.Appendf(nil, "GET /%d HTTP/1.1\r\n", i),
				fmt.Appendf(nil, "%08d", i),
				fmt.Appendf(offer, "\x00\x00\x00\x08Z%08d", i),
				fmt.Appendf(offer, "\x00\x00\x00\x09M<%07d>", i),
				(&protocol.Negotiate{Offer: protocol.Options{Version: uint32(i) % 2}}).Append(nil),
				{0, 0},
			}[i%6]
			link := loop.Open(deaf{}, fmt.Sprintf("listener%d", i))
			link.Feed(b)
			link.Lost(nil, i%6 == 5)
		}
	}
	come(0, 60)
	_, before := scrape(t, told, "")
	const many = 6000
	come(60, many)
	text, after := scrape(t, told, "")
	if after != before {
		t.Errorf("%d series after 60 connections, %d after %d", before, after, many)
	}
	for _, want := range []string{
		`milter_connections_refused_total{milter_reason="garbage"} 2000`,
		`milter_connections_refused_total{milter_reason="offer"} 1000`,
		`milter_protocol_errors_total{error_type="stranger"} 1000`,
		`milter_protocol_errors_total{error_type="packet-too-large"} 1000`,
		`milter_protocol_errors_total{error_type="unknown-command"} 1000`,
		`milter_protocol_errors_total{error_type="string-without-end"} 1000`,
		`milter_protocol_errors_total{error_type="version-too-old"} 1000`,
		`milter_protocol_errors_total{error_type="unexpected-end"} 1000`,
		`milter_errors_total{error_type="protocol"} 5000`,
		`milter_sessions_total 6000`, `milter_limits_hit_total{milter_limit="packet-size"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
