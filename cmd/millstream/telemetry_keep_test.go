package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"millstream/handlers"
	"millstream/netio/mta"
	"millstream/protocol"
)

// rejectsQ2 refuses one mail.
func rejectsQ2(log *slog.Logger) handlers.Handler {
	return scanned(log, func(s *handlers.Session) handlers.Reply {
		if s.Macro("i") == "Q2" {
			return handlers.Reject.With(550, "5.7.1", "no")
		}
		return handlers.Continue
	})
}

// TestKeep checks that a message which is refused is traced although nothing else is.
func TestKeep(t *testing.T) {
	for _, sampler := range []string{"always_off", "parentbased_always_off"} {
		t.Run(sampler, func(t *testing.T) {
			c := startCollector(t)
			t.Setenv("OTEL_TRACES_SAMPLER", sampler)
			s := startServe(t, serveFlags{}, rejectsQ2)
			verdicts := deliverAll(t, s.socket, mail("Q1"), mail("Q2"))
			deliverAll(t, s.socket, mail("Q4"))
			if log := s.stop(t); strings.Count(log, "trace_id") != 1 {
				t.Errorf("log\n%s", log)
			}
			if verdicts[0] != protocol.StatusContinue || verdicts[1] != protocol.StatusReject {
				t.Fatalf("verdicts %v", verdicts)
			}
			session, message, visit := c.one(t, "milter.session"), c.one(t, "milter.message"), c.one(t, "milter.handler scan")
			hasAttributes(t, session, map[string]string{"milter.keep": "refused"})
			hasAttributes(t, message, map[string]string{
				"milter.queue_id": "Q2", "milter.verdict": "reject", "milter.handler": "scan", "smtp.reply.code": "550",
			})
			if !bytes.Equal(message.ParentSpanId, session.SpanId) || !bytes.Equal(visit.ParentSpanId, message.SpanId) {
				t.Error("the spans are no tree")
			}
			if message.StartTimeUnixNano < session.StartTimeUnixNano || visit.StartTimeUnixNano < message.StartTimeUnixNano ||
				message.EndTimeUnixNano < visit.EndTimeUnixNano {
				t.Error("a span is outside the one above it")
			}
		})
	}
}

// TestRatio checks that a session is traced as a whole or not at all.
func TestRatio(t *testing.T) {
	c := startCollector(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
	s := startServe(t, serveFlags{}, rejectsQ2)
	const sessions, each = 64, 3
	for range sessions {
		var mails []*mta.Mail
		for range each {
			mails = append(mails, mail("Q1"))
		}
		deliverAll(t, s.socket, mails...)
	}
	s.stop(t)
	traced := map[string]int{}
	for _, session := range c.named("milter.session") {
		if _, kept := attributesOf(session.Attributes)["milter.keep"]; !kept { // on a busy machine something may be slow
			traced[string(session.TraceId)] = 0
		}
	}
	for _, message := range c.named("milter.message") {
		if _, ok := traced[string(message.TraceId)]; ok {
			traced[string(message.TraceId)]++
		}
	}
	for _, n := range traced {
		if n != each {
			t.Errorf("%d messages of a session of %d", n, each)
		}
	}
	if n := len(traced); n < 8 || n > sessions-8 { // by chance once in 10^9 runs
		t.Errorf("%d sessions of %d are traced", n, sessions)
	}
}

func TestSamplerFor(t *testing.T) {
	for _, tt := range []struct{ name, arg, want string }{
		{"", "", sdktrace.ParentBased(sdktrace.AlwaysSample()).Description()},
		{"always_on", "", "AlwaysOnSampler"},
		{"Always_Off", "x", "AlwaysOffSampler"},
		{"traceidratio", "", sdktrace.TraceIDRatioBased(1).Description()},
		{"traceidratio", " 0.25 ", sdktrace.TraceIDRatioBased(0.25).Description()},
		{"parentbased_always_off", "", sdktrace.ParentBased(sdktrace.NeverSample()).Description()},
		{"parentbased_traceidratio", "0", sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0)).Description()},
	} {
		s, err := samplerFor(tt.name, tt.arg)
		if err != nil || s.Description() != "KeepFailed{"+tt.want+"}" {
			t.Errorf("%q %q: %v, %v, want %s", tt.name, tt.arg, s, err, tt.want)
		}
	}
	for _, tt := range []struct{ name, arg string }{
		{"xray", ""}, {"parentbased_", ""}, {"traceidratio", "1.5"}, {"traceidratio", "-1"}, {"traceidratio", "NaN"}, {"traceidratio", "10%"},
	} {
		if s, err := samplerFor(tt.name, tt.arg); err == nil || !strings.Contains(err.Error(), "OTEL_TRACES_SAMPLER") {
			t.Errorf("%q %q: %v, %v", tt.name, tt.arg, s, err)
		}
	}
}
