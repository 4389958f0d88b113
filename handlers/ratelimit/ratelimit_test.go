package ratelimit_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/protocol"
)

const (
	a = "mail <a@x.example>"
	b = "mail <b@y.example>"
)

// A scene is what is sent to one limit, and answered.
type scene struct {
	name         string
	limit        ratelimit.Limit
	script, want string
}

// playAll plays scenes.
func playAll(t *testing.T, scenes []scene) {
	t.Helper()
	for _, tt := range scenes {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := filter(t, limits(tt.limit), open(t), nil)
			check(t, handlertest.New(t, h), tt.script, tt.want)
		})
	}
}

// Each limit counts what it says, for whom it says.
func TestKeys(t *testing.T) {
	playAll(t, []scene{
		{
			"messages of a sender",
			ratelimit.Limit{Key: []string{"sender"}},
			a + "; abort; mail <A@X.example>; abort; " + a + ";" + b, "continue continue 450 continue",
		},
		{
			"messages of a domain",
			ratelimit.Limit{Key: []string{"sender_domain"}},
			a + "; abort; mail <c@X.EXAMPLE>; abort; mail <d@x.example>; " + b + "; abort; mail <postmaster>; abort; mail <>", "continue continue 450 continue continue continue",
		},
		{
			"messages of a user",
			ratelimit.Limit{Key: []string{"auth_user"}, Limit: 1},
			a + "; abort; " + a + "; abort; user alice; " + a + "; abort; user Alice; " + b + "; user bob; " + a,
			"continue continue continue 450 continue",
		},
		{
			"recipients of a user",
			ratelimit.Limit{Key: []string{"auth_user"}, What: "recipients"},
			"user alice; " + a + "; rcpt <c@z.example>; rcpt <d@z.example>; rcpt <e@z.example>; eom; user alice;" + a + "; rcpt <c@z.example>",
			"continue continue continue 450 continue continue 450",
		},
		{
			"recipients of a sender",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 1, Action: "reject"},
			a + "; rcpt <c@z.example>; rcpt <d@z.example>; abort; " + b + "; rcpt <c@z.example>", "continue continue 550 continue continue",
		},
		{
			"to a recipient",
			ratelimit.Limit{Key: []string{"rcpt"}, Limit: 1},
			a + "; rcpt <c@z.example>; rcpt <d@z.example>; eom; " + b + "; rcpt <C@z.example>; rcpt <e@z.example>", "continue continue continue continue continue 450 continue",
		},
		{
			"messages to a domain count once",
			ratelimit.Limit{Key: []string{"rcpt_domain"}},
			a + "; rcpt <c@z.example>; rcpt <d@z.example>; rcpt <e@z.example>; eom; " +
				b + "; rcpt <c@z.example>; eom; " + b + "; rcpt <c@z.example>; rcpt <c@w.example>",
			"continue continue continue continue continue continue continue continue continue 450 continue",
		},
		{
			"sender and recipient",
			ratelimit.Limit{Key: []string{"sender", "rcpt"}, Limit: 1},
			a + "; rcpt <c@z.example>; abort; " + b + "; rcpt <c@z.example>; abort; " + a + "; rcpt <d@z.example>; rcpt <c@z.example>",
			"continue continue continue continue continue continue 450",
		},
		{
			"bytes",
			ratelimit.Limit{Key: []string{"sender"}, What: "bytes", Limit: 100},
			a + "; rcpt <c@z>; body 50; body 30; eom; " + a + "; rcpt <c@z>; body 30; eom; " + b + "; rcpt <c@z>; body 30; eom; " + a + "; rcpt <c@z>; body 20; eom",
			"continue continue continue continue continue continue continue continue 450 continue continue continue continue continue continue continue continue",
		},
	})
}

// A key and a condition may be any expression. The limit is asked when both are known.
func TestExpressions(t *testing.T) {
	playAll(t, []scene{
		{
			"a text",
			ratelimit.Limit{Key: []string{"{{sender_domain}}/{{sender}}"}, Limit: 1},
			a + "; abort; " + b + "; abort; " + a, "continue continue 450",
		},
		{
			"the null sender",
			ratelimit.Limit{Key: []string{"<{{sender}}>"}, Limit: 1},
			"mail <>; abort; mail <>", "continue 450",
		},
		{
			"what is known late",
			ratelimit.Limit{Key: []string{`{{header("X-List")}}`}, Limit: 1},
			a + "; rcpt <c@z>; header X-List news; eom; " + a + "; rcpt <c@z>; header X-List NEWS; eom; " + a + "; rcpt <c@z>; eom",
			"continue continue continue continue continue continue continue 450 continue continue continue",
		},
		{
			"a condition",
			ratelimit.Limit{Key: []string{"sender"}, Limit: 1, When: `sender_domain == "x.example"`},
			a + "; abort; " + b + "; abort; " + b + "; abort; " + a, "continue continue continue 450",
		},
		{
			"a condition about recipients",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 1, When: `rcpt_domain != "z.example"`},
			a + "; rcpt <c@z.example>; rcpt <c@w.example>; rcpt <d@w.example>; rcpt <d@z.example>", "continue continue continue 450 continue",
		},
		{
			"a condition about the text",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 3, When: `header("X-List") != ""`},
			a + "; rcpt <c@z>; rcpt <d@z>; header X-List a; eom; " + a + "; rcpt <c@z>; rcpt <d@z>; header X-List a; eom; " + a + "; rcpt <c@z>; rcpt <d@z>; eom",
			"continue continue continue continue continue continue continue continue continue 450 continue continue continue continue",
		},
	})
}

// Over the limit the action is done.
func TestActions(t *testing.T) {
	playAll(t, []scene{
		{
			"discard",
			ratelimit.Limit{Key: []string{"sender"}, Limit: 1, Action: "discard"},
			a + "; abort; " + a, "continue discard",
		},
		{
			"hold",
			ratelimit.Limit{Key: []string{"sender"}, Limit: 1, Action: "quarantine"},
			a + "; rcpt <c@z>; eom; " + a + "; rcpt <c@z>; eom", "continue, continue, continue, continue, continue, continue quarantine",
		},
		{
			"hold for bytes",
			ratelimit.Limit{Key: []string{"sender"}, What: "bytes", Limit: 10, Action: "quarantine"},
			a + "; rcpt <c@z>; body 11; eom", "continue, continue, continue, continue quarantine",
		},
		{
			"tell only",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 1, Action: "continue"},
			a + "; rcpt <c@z>; rcpt <d@z>; eom", "continue continue continue continue",
		},
	})
}

// Clients are counted by address or network, however an address is written.
func TestClients(t *testing.T) {
	tests := []struct {
		limit   ratelimit.Limit
		clients string
		want    string
	}{
		{ratelimit.Limit{Key: []string{"client_addr"}}, "192.0.2.1 192.0.2.2 ::ffff:192.0.2.1 192.0.2.2", "continue continue 450 450"},
		{ratelimit.Limit{Key: []string{"client_network"}}, "192.0.2.1 192.0.2.2 192.0.3.1", "continue 450 continue"},
		{ratelimit.Limit{Key: []string{"client_network"}, IPv4Prefix: 16}, "192.0.2.1 192.0.3.2 192.1.2.1", "continue 450 continue"},
		{ratelimit.Limit{Key: []string{"client_network"}}, "2001:db8::1 2001:db8::2:1 2001:db8:0:1::1", "continue 450 continue"},
		{ratelimit.Limit{Key: []string{"client_network"}, IPv6Prefix: 48}, "2001:db8::1 2001:db8:0:1::1 2001:db8:1::1", "continue 450 continue"},
		{ratelimit.Limit{Key: []string{"client_addr"}}, "unknown unknown unknown", "continue continue continue"},
	}
	for _, tt := range tests {
		tt.limit.Limit = 1
		h, _ := filter(t, limits(tt.limit), open(t), nil)
		var got []string
		for client := range strings.FieldsSeq(tt.clients) {
			got = append(got, play(t, handlertest.New(t, h), "connect "+client+"; mail <a@x>")[1])
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v of %s: got %v, want %s", tt.limit.Key, tt.clients, got, tt.want)
		}
	}
}

// Whom the settings trust is neither counted nor refused.
func TestBypass(t *testing.T) {
	settings := limits(ratelimit.Limit{Key: []string{"sender"}, Limit: 1})
	settings.TrustedNetworks, settings.SkipAuthenticated = []string{"ours", "198.51.100.7"}, true
	h, _ := filter(t, settings, open(t), nil)
	const mail = "; mail <a@x>; abort; mail <a@x>"
	check(t, handlertest.New(t, h), "connect 192.0.2.1"+mail, "continue continue continue")
	check(t, handlertest.New(t, h), "connect 198.51.100.7"+mail, "continue continue continue")
	check(t, handlertest.New(t, h), "connect 198.51.100.8; user alice; mail <a@x>; abort; user alice; mail <a@x>", "continue continue continue")
	check(t, handlertest.New(t, h), "connect 198.51.100.8"+mail, "continue continue 450")
}

// The first limit that is reached decides. Those after it do not count then.
func TestOrder(t *testing.T) {
	h, _ := filter(t, limits(
		ratelimit.Limit{Key: []string{"sender"}, Limit: 1},
		ratelimit.Limit{Key: []string{"sender_domain"}, Limit: 2, Action: "reject"},
	), open(t), nil)
	s := handlertest.New(t, h)
	check(t, s, "mail <a@x>; abort; mail <a@x>; mail <a@x>; mail <b@x>; abort; mail <c@x>", "continue 450 450 continue 550")
}

// A window ends: at its end if it is fixed, little by little if it slides.
func TestWindows(t *testing.T) {
	for _, tt := range []struct {
		kind string
		want [4]int // how many of 70 pass at 0:29:30, 0:59:30, 1:00:30 and 1:30:30
	}{
		{"fixed", [4]int{60, 0, 60, 0}},
		{"", [4]int{60, 0, 1, 30}},
	} {
		synctest.Test(t, func(t *testing.T) { // which begins at midnight
			h, _ := filter(t, limits(ratelimit.Limit{Key: []string{"sender"}, Limit: 60, Window: time.Hour, WindowType: tt.kind}), open(t), nil)
			s := handlertest.New(t, h)
			var got [4]int
			for i, pause := range []time.Duration{29*time.Minute + 30*time.Second, 30 * time.Minute, time.Minute, 30 * time.Minute} {
				time.Sleep(pause)
				for range 70 {
					if s.Do(&protocol.MailFrom{Addr: protocol.View("<a@x>")}).Status == protocol.StatusContinue {
						got[i]++
						s.Abort()
					}
				}
			}
			if got != tt.want {
				t.Errorf("%q: got %v, want %v", tt.kind, got, tt.want)
			}
		})
	}
}

// refuser is a filter behind the limits: it refuses recipients that begin with "no", and
// messages with a header.
func refuser() handlers.Handler {
	return handlers.Chain(
		handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
			if strings.HasPrefix(c.Mailbox().String(), "no") {
				return handlers.Reject
			}
			return handlers.Continue
		}),
		handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Reject }),
	)
}

// What is refused later counts, or is given back.
func TestCount(t *testing.T) {
	const mail = "mail <a@x>; "
	tests := []struct {
		name   string
		limit  ratelimit.Limit
		before string // whatever it comes to
		script string
		tried  string
		given  string // if it is given back
	}{
		{
			"a message that is refused",
			ratelimit.Limit{Key: []string{"sender"}, Limit: 1},
			mail + "rcpt <c@z>; header X y", "mail <a@x>", "450", "continue",
		},
		{"one that is given up", ratelimit.Limit{Key: []string{"sender"}, Limit: 1}, mail + "rcpt <c@z>; abort", "mail <a@x>", "450", "continue"},
		{"one that is taken", ratelimit.Limit{Key: []string{"sender"}, Limit: 1}, mail + "rcpt <c@z>; eom", "mail <a@x>", "450", "450"},
		{
			"a recipient that is refused",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients"},
			mail + "rcpt <no@z>; rcpt <c@z>; rcpt <no2@z>; eom", mail + "rcpt <c@z>; rcpt <d@z>", "continue 450 450", "continue continue 450",
		},
		{
			"recipients of a message that is refused",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients"},
			mail + "rcpt <c@z>; rcpt <d@z>; header X y", mail + "rcpt <c@z>; rcpt <d@z>; rcpt <e@z>", "continue 450 450 450", "continue continue continue 450",
		},
		{
			"a message to a domain whose first recipient is refused",
			ratelimit.Limit{Key: []string{"rcpt_domain"}, Limit: 1},
			mail + "rcpt <no@z>; abort", mail + "rcpt <c@z>; rcpt <d@z>", "continue 450 450", "continue continue continue",
		},
		{
			"bytes of a message that is taken",
			ratelimit.Limit{Key: []string{"sender"}, What: "bytes", Limit: 10},
			mail + "rcpt <c@z>; body 6; eom", mail + "rcpt <c@z>; body 6; eom", "continue continue continue 450", "continue continue continue 450",
		},
		{
			"a condition that does not hold for the last",
			ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 1, When: `rcpt != "no@z"`},
			mail + "rcpt <c@z>; rcpt <no@z>; eom", mail + "rcpt <c@z>", "continue 450", "continue 450",
		},
	}
	for _, tt := range tests {
		for count, want := range map[string]string{"": tt.tried, "tried": tt.tried, "accepted": tt.given} {
			t.Run(tt.name+"/"+count, func(t *testing.T) {
				tt.limit.Count = count
				h, _ := filter(t, limits(tt.limit), open(t), nil)
				s := handlertest.New(t, handlers.Chain(h, refuser()))
				play(t, s, tt.before)
				check(t, s, tt.script, want)
			})
		}
	}
}

// What a filter before this one refuses, or the MTA, takes nothing back of the recipient
// before it.
func TestRefusedBefore(t *testing.T) {
	h, _ := filter(t, limits(ratelimit.Limit{Key: []string{"sender"}, What: "recipients", Limit: 1, Count: "accepted"}), open(t), nil)
	s := handlertest.New(t, handlers.Chain(refuser(), h))
	check(t, s, "mail <a@x>; rcpt <c@z>; rcpt <no@z>; rcpt <d@z>", "continue continue reject 450")
}

// What was counted in a window that is over is not taken from the next one.
func TestGivenBackLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := filter(t, limits(ratelimit.Limit{Key: []string{"sender"}, Limit: 1, Count: "accepted"}), open(t), nil)
		late, other := handlertest.New(t, h), handlertest.New(t, h)
		play(t, late, "mail <a@x>")
		time.Sleep(time.Hour)
		play(t, other, "mail <a@x>; rcpt <c@z>; eom")
		play(t, late, "abort")
		check(t, other, "mail <a@x>", "450")
	})
}
