package ratelimit_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/protocol"
)

// A client is told how much is allowed, until when, and what else the text has.
func TestText(t *testing.T) {
	sender := []string{"sender"}
	tests := []struct {
		name  string
		limit ratelimit.Limit
		want  string // at 0:20 of a day
	}{
		{"default", ratelimit.Limit{Key: sender}, "450 4.7.1 limit of 2 messages in 1h is reached, please try again after Sat, 01 Jan 2000 01:00:00 +0000"},
		{
			"sliding",
			ratelimit.Limit{Key: sender, Window: time.Hour, Action: "reject", Text: "{{limit}} in {{ window }} until {{until}}"},
			"550 5.7.1 2 in 1h until Sat, 01 Jan 2000 01:30:00 +0000",
		},
		{
			"codes",
			ratelimit.Limit{Key: sender, Code: 421, Enhanced: "4.3.2", Window: 90 * time.Minute, Text: "{{sender}}: {{wait}} of {{window}}"},
			"421 4.3.2 a@x.example: 1h55m of 1h30m",
		},
		{"what clients send is not obeyed", ratelimit.Limit{Key: sender, WindowType: "fixed", Window: 24 * time.Hour, Text: "{{helo}} {{wait}} 100%"}, "450 4.7.1 %s evil? 23h40m 100%"},
		{"long", ratelimit.Limit{Key: sender, Text: strings.Repeat("x", 600)}, "450 4.7.1 " + strings.Repeat("x", 480)},
		{"one that fails", ratelimit.Limit{Key: sender, Text: `{{sender_params[7]}}`}, "450 4.7.1 limit of 2 in 1h is reached"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := filter(t, limits(tt.limit), open(t), nil)
				s := handlertest.New(t, h)
				time.Sleep(20 * time.Minute)
				s.Do(&protocol.Connect{Host: protocol.View("h.example")})
				s.Do(&protocol.Helo{Name: protocol.View("%s\nevilé")})
				for range 2 {
					s.Do(&protocol.MailFrom{Addr: protocol.View("<a@x.example>")})
					s.Abort()
				}
				if out := s.Do(&protocol.MailFrom{Addr: protocol.View("<a@x.example>")}); out.Text != tt.want {
					t.Errorf("got  %q\nwant %q", out.Text, tt.want)
				}
				if errs := s.Failures(); errs != nil {
					t.Errorf("reported: %v", errs)
				}
			})
		})
	}
}

// A message is held for a reason.
func TestReason(t *testing.T) {
	h, _ := filter(t, limits(ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 1, Action: "quarantine", Text: "{{sender}} > {{limit}}"}), open(t), nil)
	s := handlertest.New(t, h)
	play(t, s, "mail <a@x>; rcpt <c@z>; rcpt <d@z>; eom")
	if results := s.Results(); len(results) != 1 || results[0].QuarantineReason != "a@x > 1" {
		t.Errorf("results %+v", results)
	}
}

// A key that goes over is told once in a window, in the log and as a measurement.
func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		h, log := filter(t, limits(ratelimit.Limit{Name: "pairs", Key: []string{"auth_user", "sender"}, Limit: 1, Action: "continue"}), open(t), &m)
		s := handlertest.New(t, h)
		const mail = "user Alice; mail <A@x>; abort; "
		play(t, s, mail+mail+mail+mail+"user bob; mail <a@x>; abort")
		want := map[string]int64{
			"ratelimit.decisions limit=pairs result=within": 2,
			"ratelimit.decisions limit=pairs result=over":   3,
			"ratelimit.keys limit=pairs":                    1,
		}
		if !maps.Equal(m.sums, want) {
			t.Errorf("measured %v, want %v", m.sums, want)
		}
		const line = `level=WARN msg="rate limit reached" limit=pairs key="alice a@x" allowed=1 what=messages window=1h0m0s until=2000-01-01T01:00:00.000Z action=continue`
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, line) {
			t.Errorf("log:\n%s\nwant %s", text, line)
		}
		time.Sleep(time.Hour)
		play(t, s, mail+mail+mail+"mail <>; abort")
		if n := m.sums["ratelimit.keys limit=pairs"]; n != 2 || strings.Count(log.String(), "\n") != 2 {
			t.Errorf("in the next window %d are measured; log:\n%s", n, log)
		}
	})
}

// Many keys that go over at once make some lines in a second.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		h, log := filter(t, limits(ratelimit.Limit{Name: "senders", Key: []string{"sender"}, Limit: 1}), open(t), &m)
		s := handlertest.New(t, h)
		flood := func(from, to int) {
			for i := from; i < to; i++ {
				play(t, s, fmt.Sprintf("mail <%d@x>; abort; mail <%d@x>", i, i))
			}
		}
		flood(0, 20)
		time.Sleep(time.Second)
		flood(20, 21)
		if text := log.String(); strings.Count(text, "\n") != 6 || !strings.Contains(text, "left_out=15\n") {
			t.Errorf("log:\n%s", text)
		}
		if n := m.sums["ratelimit.keys limit=senders"]; n != 21 {
			t.Errorf("%d are measured", n)
		}
	})
}

// The MTA is asked for what the limits need and no more, and waits for an answer only
// where there may be one.
func TestWants(t *testing.T) {
	const (
		offer   = handlers.KindNegotiate
		connect = handlers.KindConnect
		mail    = handlers.KindEnvelopeFrom
		rcpt    = handlers.KindEnvelopeRecipient
		body    = handlers.KindBody
		end     = handlers.KindEndOfMessage
		result  = handlers.KindMessageProcessed
		answer  = handlers.KindResponse
	)
	of := handlers.Of
	tests := []struct {
		limit           ratelimit.Limit
		events, replies handlers.Kinds
	}{
		{ratelimit.Limit{Key: []string{"sender"}}, of(mail), of(mail)},
		{ratelimit.Limit{Key: []string{"client_addr"}}, of(connect, mail), of(mail)},
		{ratelimit.Limit{Key: []string{"client_network"}, What: "recipients"}, of(connect, rcpt), of(rcpt)},
		{ratelimit.Limit{Key: []string{"sender"}, What: "recipients"}, of(mail, rcpt), of(rcpt)},
		{ratelimit.Limit{Key: []string{"auth_user"}, What: "bytes"}, of(offer, body, end), of(offer, end)},
		{ratelimit.Limit{Key: []string{"auth_user"}, Action: "continue"}, of(offer, mail), of(offer)},
		{ratelimit.Limit{Key: []string{"auth_user"}, What: "recipients", Action: "quarantine"}, of(offer, rcpt, end), of(offer, end)},
		{ratelimit.Limit{Key: []string{"auth_user"}, What: "recipients", Count: "accepted"}, of(offer, rcpt, answer, result), of(offer, rcpt)},
		{ratelimit.Limit{Key: []string{"auth_user"}, Count: "accepted"}, of(offer, mail, result), of(offer, mail)},
	}
	for _, tt := range tests {
		h, _ := filter(t, limits(tt.limit), open(t), nil)
		if w := h.Wants(); w.Events != tt.events || w.Replies != tt.replies {
			t.Errorf("%+v: events %b, replies %b, want %b, %b", tt.limit, w.Events, w.Replies, tt.events, tt.replies)
		}
	}
}

// Where the MTA is asked for macros, it is asked for those of limits too.
func TestMacros(t *testing.T) {
	others := func(names ...string) handlers.Handler {
		return handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			if len(names) > 0 {
				n.RequestMacros(protocol.StageMail, names...)
			}
			return handlers.Continue
		})
	}
	offer := protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
	skip := limits(ratelimit.Limit{Key: []string{"sender"}})
	skip.SkipAuthenticated = true
	for _, settings := range []*ratelimit.Settings{
		skip, limits(ratelimit.Limit{Key: []string{"auth_user"}}), limits(ratelimit.Limit{Key: []string{"{{auth_user}}"}}),
		limits(ratelimit.Limit{Key: []string{"sender"}, When: "!authenticated"}), limits(ratelimit.Limit{Key: []string{"sender"}, Text: "{{auth_user}}"}),
	} {
		h, _ := filter(t, settings, open(t), nil)
		agreed, err := handlertest.New(t, handlers.Chain(others("i"), h)).Negotiate(offer)
		if got := agreed.Macros[protocol.StageMail]; err != nil || !slices.Equal(got, []string{"i", "auth_authen"}) {
			t.Errorf("asked for %v: %v", got, err)
		}
		agreed, err = handlertest.New(t, handlers.Chain(others(), h)).Negotiate(offer)
		if got := agreed.Macros[protocol.StageMail]; err != nil || got != nil {
			t.Errorf("asked for %v: %v", got, err)
		}
	}
}
