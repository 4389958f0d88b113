package when_test

import (
	"errors"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

// hidden is a filter on trial: its answers do not count.
func hidden(h handlers.Handler) handlers.Handler {
	return handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		return next.Handle(s, ev).Then(func(handlers.Reply) handlers.Reply { return handlers.Continue })
	})(h)
}

// answer returns a handler that answers each event of a type so.
func answer[E handlers.Answered](r handlers.Reply) handlers.Handler {
	return handlers.Go(func(*handlers.Session, E) handlers.Reply { return r })
}

func TestRecord(t *testing.T) {
	failed := handlers.Failed(errors.New("no scanner"))
	tests := []struct {
		name  string
		h     handlers.Handler
		holds string // after each of two messages
		not   string
	}{
		{
			"refused", answer[*handlers.Message](handlers.Reject.With(550, "5.7.1", "spam")),
			`result("spamcheck").verdict == "reject" && !result("spamcheck").failed`, `result("dnsbl").verdict == "reject"`,
		},
		{"failed", answer[*handlers.Message](failed), `result("spamcheck").failed`, `result("spamcheck").verdict != ""`},
		{"went on", answer[*handlers.Message](handlers.Continue), `result("spamcheck").verdict == ""`, `result("spamcheck").failed`},
		{"skipped", answer[*protocol.Body](handlers.Skip), `result("spamcheck").verdict == ""`, `result("spamcheck").failed`},
		{
			"went on after a refusal", handlers.Chain(answer[*protocol.Data](handlers.Discard), answer[*handlers.Message](handlers.Continue)),
			`result("spamcheck").verdict == "discard"`, `result("spamcheck").failed`,
		},
		{"at connect", answer[*protocol.Connect](handlers.TempFail), `result("spamcheck").verdict == "tempfail"`, `result("spamcheck").failed`},
		{"failed at connect", answer[*protocol.Connect](failed), `result("spamcheck").failed`, `result("spamcheck").verdict != ""`},
		{
			"reported a failure first", handlers.On(func(s *handlers.Session, _ *protocol.Data) handlers.Reply {
				when.Report(s, "spamcheck", when.Verdict{Failed: true})
				when.Report(s, "spamcheck", when.Verdict{Word: "slow"})
				when.Report(s, "spamcheck", when.Verdict{})
				return handlers.Continue
			}), `result("spamcheck").verdict == "slow" && result("spamcheck").failed`, `result("spamcheck").verdict == ""`,
		},
		{
			"reported", handlers.On(func(s *handlers.Session, _ *protocol.Data) handlers.Reply {
				when.Report(s, "spamcheck", when.Verdict{Word: "ham"})
				when.Report(s, "spamcheck", when.Verdict{Word: "spam"})
				return handlers.Continue
			}), `result("spamcheck").verdict == "spam"`, `result("spamcheck").verdict == "ham"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			holds, not := 0, 0
			count := func(n *int) handlers.Handler {
				return handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply {
					*n++
					return handlers.Continue
				})
			}
			filter := handlers.Chain(hidden(when.Record("spamcheck", tt.h)), guard(t, tt.holds, count(&holds)), guard(t, tt.not, count(&not)))
			s := play(t, filter, connect("192.0.2.1"))
			for range 2 {
				s.Do(mail("<a@x>"))
				s.Do(&protocol.Data{})
				s.Do(chunk)
				if out := s.EndOfMessage(); out.Status != protocol.StatusContinue {
					t.Errorf("answered %v", out.Status)
				}
			}
			if holds != 2 || not != 0 {
				t.Errorf("%s: %d times of 2; %s: %d times of 0", tt.holds, holds, tt.not, not)
			}
		})
	}
}

// What was found out about one client is not told of the next one.
func TestRecordAnotherClient(t *testing.T) {
	var j journal
	filter := handlers.Chain(
		hidden(when.Record("dnsbl", handlers.On(func(_ *handlers.Session, c *protocol.Connect) handlers.Reply {
			if c.Addr.IP.Is6() {
				return handlers.Reject
			}
			return handlers.Continue
		}))),
		guard(t, `result("dnsbl").verdict == "reject"`, j.taking(from)),
	)
	play(t, filter, connect("2001:db8::1"), mail("<a@x>"), theEnd, mail("<b@x>"), theEnd,
		&protocol.QuitNewConnection{}, connect("192.0.2.1"), mail("<c@x>"), theEnd)
	if got := j.take(); got != "envelope-from <a@x> envelope-from <b@x>" {
		t.Errorf("told of %s", got)
	}
}

// Recorded or not, a handler answers the same, and wants the same of the MTA.
func TestRecordIsTransparent(t *testing.T) {
	h := handlers.Chain(handlers.Need(heloKind), answer[*protocol.MailFrom](handlers.Reject.With(550, "5.7.1", "no")))
	r := when.Record("spamcheck", h)
	if r.Wants() != h.Wants() {
		t.Errorf("wants %+v, want %+v", r.Wants(), h.Wants())
	}
	if out := handlertest.New(t, r).Do(mail("<a@x>")); out.Text != "550 5.7.1 no" {
		t.Errorf("answered %v %q", out.Status, out.Text)
	}
}
