package e2e

import (
	"cmp"
	"strings"
	"testing"
)

// events are those that a verdict can answer, and the SMTP command to which a
// client sees it.
var events = []struct{ name, to string }{
	{"connect", "connect"},
	{"helo", "helo"},
	{"envelope-from", "mail"},
	{"envelope-recipient", "rcpt"},
	{"data", "data"},
	{"header", "message"},
	{"end-of-header", "message"},
	{"body", "message"},
	{"end-of-message", "message"},
}

// A deviation is a verdict that a mail server passes on in its own way.
type deviation struct {
	mta, plan string
	reply     // {from} and {to} stand for addresses of the message
	why       string
}

const (
	noText   = "the greeting has no place for a text"
	later    = "what is wrong with a client is said when it begins a message"
	lostText = "of a temporary failure at connect no text is kept"
	prefix   = "an address that is refused comes before the text"
)

var deviations = []deviation{
	{"postfix", "reject-at-connect", reply{"connect", 554, "mx.example.org ESMTP not accepting connections"}, noText},
	{"postfix", "tempfail-at-connect", reply{"mail", 451, "4.7.1 not now at connect\n4.7.1 100% of it"}, later},
	{"postfix", "reject-at-helo", reply{"mail", 550, "5.7.1 refused at helo\n5.7.1 100% of it"}, later},
	{"postfix", "tempfail-at-helo", reply{"mail", 451, "4.7.1 not now at helo\n4.7.1 100% of it"}, later},

	{"sendmail", "reject-at-connect", reply{"connect", 554, "mx.example.org ESMTP not accepting messages"}, noText},
	{"sendmail", "tempfail-at-connect", reply{"mail", 451, "4.3.2 Please try again later"}, lostText},
	{"sendmail", "reject-at-helo", reply{"mail", 550, "5.7.1 refused at helo\n5.7.1 100% of it"}, later},
	{"sendmail", "tempfail-at-helo", reply{"mail", 451, "4.7.1 not now at helo\n4.7.1 100% of it"}, later},
	{"sendmail", "reject-at-envelope-from", reply{"mail", 550, "5.7.1 {from}... refused at envelope-from\n5.7.1 100% of it"}, prefix},
	{"sendmail", "reject-at-envelope-recipient", reply{"rcpt", 550, "5.7.1 {to}... refused at envelope-recipient\n5.7.1 100% of it"}, prefix},
	{"sendmail", "reject-one-recipient", reply{"rcpt", 550, "5.1.1 {to}... nobody of that name"}, prefix},
}

// expect returns the reply that a mail server gives the client of m: want, or
// its own.
func (r *rig) expect(t *testing.T, plan string, m mail, want reply) reply {
	t.Helper()
	for _, d := range deviations {
		if d.mta == r.mta.name && d.plan == plan {
			t.Logf("%s does it in its own way: %s", d.mta, d.why)
			d.text = strings.NewReplacer("{from}", m.from, "{to}", m.to[0]).Replace(d.text)
			return d.reply
		}
	}
	return want
}

// testRefusals has messages refused at each event, and compares every word that
// the client gets.
func testRefusals(t *testing.T, r *rig) {
	for _, event := range events {
		t.Run("reject-at-"+event.name, func(t *testing.T) {
			testRefusal(t, r, "reject-at-"+event.name, reply{
				event.to, 550, "5.7.1 refused at " + event.name + "\n5.7.1 100% of it",
			})
		})
		t.Run("tempfail-at-"+event.name, func(t *testing.T) {
			testRefusal(t, r, "tempfail-at-"+event.name, reply{
				event.to, 451, "4.7.1 not now at " + event.name + "\n4.7.1 100% of it",
			})
		})
	}
}

func testRefusal(t *testing.T, r *rig, plan string, want reply) {
	token := r.token()
	m := compose(plan, token)
	want = r.expect(t, plan, m, want)
	if got := attempt(t, r, plan, m); got != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	r.nothing(t, token)
}

// attempt sends a message from a client that the plan is for, and returns the
// first reply that is not good, or the last.
func attempt(t *testing.T, r *rig, plan string, m mail) reply {
	t.Helper()
	clients := map[string]string{"reject-at-connect": "127.0.0.11", "tempfail-at-connect": "127.0.0.12"}
	names := map[string]string{"reject-at-helo": "reject.example.org", "tempfail-at-helo": "tempfail.example.org"}
	c, got := dial(t, r.mta.addr, cmp.Or(clients[plan], "127.0.0.1"))
	defer c.close()
	if got.ok() {
		got = c.hello(names[plan])
	}
	if got.ok() {
		got = c.send(m)
	}
	return got
}

// testPasses has messages taken at each event, without a further look, and
// dropped.
func testPasses(t *testing.T, r *rig) {
	for _, event := range events[2:] {
		t.Run("accept-at-"+event.name, func(t *testing.T) {
			bodyIs(body)(t, r.pass(t, "accept-at-"+event.name))
		})
		t.Run("discard-at-"+event.name, func(t *testing.T) {
			token := r.token()
			r.mta.deliver(t, compose("discard-at-"+event.name, token))
			r.nothing(t, token)
		})
	}
}

// testOneRecipient has one of three recipients refused.
func testOneRecipient(t *testing.T, r *rig) {
	token := r.token()
	m := compose("none", token)
	c := r.mta.connect(t)
	defer c.quit()
	if got := c.envelope(m); !got.ok() {
		t.Fatal(got)
	}
	refused := mail{to: []string{"<refused@to.example.org>"}}
	want := r.expect(t, "reject-one-recipient", refused, reply{"rcpt", 550, "5.1.1 nobody of that name"})
	if got := c.say("rcpt", "RCPT TO:%s", refused.to[0]); got != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := c.message(m.data); !got.ok() {
		t.Fatal(got)
	}
	recipientsAre("one@to.example.org", "two@to.example.org")(t, r.sink.wait(t, token))
}

// testQuarantine has a message held in the queue of the mail server.
func testQuarantine(t *testing.T, r *rig) {
	token := r.token()
	got := r.mta.deliver(t, compose("quarantined", token))
	if !r.mta.quarantined(got) {
		t.Errorf("not held: %v", got)
	}
	r.nothing(t, token)
}
