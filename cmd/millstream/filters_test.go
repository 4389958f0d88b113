package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// loggedCase is a message that handler decides, with what its line says. The MTA ends it
// with last.
type loggedCase struct {
	name    string
	handler handlers.Handler
	from    string
	to      []string
	last    []byte
	want    map[string]any
}

// line does the message, and returns its line.
func (c *loggedCase) line(t *testing.T) map[string]any {
	t.Helper()
	var text bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&text, nil))
	quiet := slog.New(slog.DiscardHandler)
	o, err := actors.NewOffline(actors.Config{Log: quiet, SlowInline: -1}, handlers.Shared(handlers.Chain(c.handler, logMessages(log),
		handlers.Need(handlers.KindConnect, handlers.KindHelo, handlers.KindEnvelopeFrom, handlers.KindEnvelopeRecipient, handlers.KindBody))))
	if err != nil {
		t.Fatal(err)
	}
	defer o.HangUp(nil)
	b := (&protocol.Negotiate{Offer: protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}}).Append(nil)
	b = (&protocol.Connect{Host: protocol.View("client.example"), Addr: protocol.Addr{
		Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 25,
	}}).Append(b)
	b = (&protocol.Helo{Name: protocol.View("helo.example")}).Append(b)
	b = (&protocol.MailFrom{Addr: protocol.View(c.from)}).Append(b)
	for i, one := range c.to {
		if i == 0 {
			b = protocol.NewMacro(protocol.CodeRcptTo, "i", "Q1").Append(b)
		}
		b = (&protocol.RcptTo{Addr: protocol.View(one)}).Append(b)
	}
	b = append((&protocol.Body{Chunk: protocol.View("Hello\r\n")}).Append(b), c.last...)
	_ = o.Feed(b) // errors are of the filter
	o.Wait()
	line := map[string]any{}
	if err := json.Unmarshal(text.Bytes(), &line); err != nil {
		t.Fatalf("log %q: %v", &text, err)
	}
	return line
}

// loggedCases are messages, each with what its line says.
func loggedCases() []loggedCase {
	end := (&protocol.EndOfMessage{}).Append(nil)
	judge := func(f func(*handlers.Message) handlers.Reply) handlers.Handler {
		return handlers.Named("judge", handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply { return f(m) }))
	}
	long := strings.Repeat("x", 70_000)
	return []loggedCase{
		{
			"taken", handlers.Need(), "<>",
			[]string{"<a>", "<b>"},
			end,
			map[string]any{
				"msg": "message", "qid": "Q1", "client": "inet:25@192.0.2.1", "host": "client.example", "helo": "helo.example", "from": "<>",
				"rcpts": 2., "to": "<a>,<b>", "rejected": 0., "size": 7., "verdict": "continue", "reply": "", "by": "", "reason": "",
				"stage": "end-of-message-replied",
			},
		},
		{
			"many recipients", handlers.Need(), "<x>",
			[]string{"<a>", "<b>", "<c>", "<d>"},
			end,
			map[string]any{"rcpts": 4., "to": "<a>,<b>,<c>,…"},
		},
		{
			"long", handlers.Need(), long,
			[]string{"<" + long + ">"},
			end,
			map[string]any{"from": long[:maxKeptText-3] + "…", "to": "<" + long[:maxKeptText-4] + "…"},
		},
		{
			"no queue id", handlers.Need(), "<x>", nil, end,
			map[string]any{"qid": "NOQUEUE", "rcpts": 0., "to": ""},
		},
		{
			"refused", judge(func(*handlers.Message) handlers.Reply { return handlers.Reject.With(550, "5.7.1", "no") }), "<x>",
			[]string{"<a>"},
			end,
			map[string]any{"verdict": "reject", "reply": "550 5.7.1 no", "by": "judge", "reason": ""},
		},
		{
			"quarantined", judge(func(m *handlers.Message) handlers.Reply { m.Quarantine("virus"); return handlers.Continue }), "<x>",
			[]string{"<a>"},
			end,
			map[string]any{"verdict": "quarantine", "reason": "virus"},
		},
		{
			"failed", judge(func(*handlers.Message) handlers.Reply { return handlers.Failed(errors.New("no scanner")) }), "<x>",
			[]string{"<a>"},
			end,
			map[string]any{"verdict": "tempfail", "by": "judge", "reason": "no scanner"},
		},
		{
			"aborted", handlers.Need(), "<x>",
			[]string{"<a>"},
			(&protocol.Abort{}).Append(nil),
			map[string]any{"verdict": "abort", "reason": ""},
		},
		{
			"broken", handlers.Need(), "<x>",
			[]string{"<a>"},
			[]byte{0, 0, 0, 0},
			map[string]any{"verdict": "abort", "reason": "milter: protocol error: empty packet"},
		},
	}
}

// refusedCases are messages of which recipients were refused.
func refusedCases() []loggedCase {
	end := (&protocol.EndOfMessage{}).Append(nil)
	return []loggedCase{
		{
			"no recipient left", deferring("<a>", "<b>"), "<x>",
			[]string{"<a>", "<b>"},
			(&protocol.Abort{}).Append(nil),
			map[string]any{"verdict": "abort", "rcpts": 0., "rejected": 2., "by": "grey", "reply": "450 4.7.1 come again, <b>"},
		},
		{
			"one recipient left, and given up", deferring("<b>"), "<x>",
			[]string{"<a>", "<b>"},
			(&protocol.Abort{}).Append(nil),
			map[string]any{"verdict": "abort", "rcpts": 1., "rejected": 1., "by": "", "reply": ""},
		},
		{
			"one recipient left, and taken", deferring("<b>"), "<x>",
			[]string{"<a>", "<b>"},
			end,
			map[string]any{"verdict": "continue", "rcpts": 1., "rejected": 1., "by": "", "reply": ""},
		},
	}
}

// deferring returns a handler called grey that refuses recipients for now.
func deferring(to ...string) handlers.Handler {
	return handlers.Named("grey", handlers.On(func(_ *handlers.Session, r *protocol.RcptTo) handlers.Reply {
		if slices.Contains(to, string(r.Addr)) {
			return handlers.TempFail.With(450, "4.7.1", "come again, "+string(r.Addr))
		}
		return handlers.Continue
	}))
}

// TestLogMessage checks that the line of a message says what it was, what became of it,
// who decided and why.
func TestLogMessage(t *testing.T) {
	for _, tt := range append(loggedCases(), refusedCases()...) {
		t.Run(tt.name, func(t *testing.T) {
			line := tt.line(t)
			for key, value := range tt.want {
				if line[key] != value {
					t.Errorf("%s is %v, want %v", key, line[key], value)
				}
			}
			for _, key := range []string{"session", "took", "handlers"} {
				if _, ok := line[key]; !ok {
					t.Errorf("no %s in %v", key, line)
				}
			}
		})
	}
}

// TestReasonOfOneMessage checks that what went wrong with one message is not said of
// the next one, and that a handler which is only slow decides nothing.
func TestReasonOfOneMessage(t *testing.T) {
	var text bytes.Buffer
	failing := handlers.On(func(_ *handlers.Session, m *protocol.MailFrom) handlers.Reply {
		if string(m.Addr) == "<bad>" {
			return handlers.Failed(errors.New("broken"))
		}
		return handlers.Continue
	})
	o, err := actors.NewOffline(actors.Config{Log: slog.New(slog.DiscardHandler), SlowInline: 1},
		handlers.Shared(handlers.Chain(failing, logMessages(slog.New(slog.NewTextHandler(&text, nil))))))
	if err != nil {
		t.Fatal(err)
	}
	defer o.HangUp(nil)
	b := (&protocol.Negotiate{Offer: protocol.Options{Version: 6, Steps: protocol.StepsAll}}).Append(nil)
	for _, from := range []string{"<bad>", "<good>"} {
		b = (&protocol.MailFrom{Addr: protocol.View(from)}).Append(b)
		b = (&protocol.Abort{}).Append(b)
	}
	_ = o.Feed(b) // the error is that of the filter
	lines := strings.SplitAfter(text.String(), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "reason=broken") || !strings.Contains(lines[1], `reason="" `) {
		t.Errorf("log\n%s", &text)
	}
}
