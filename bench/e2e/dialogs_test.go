package e2e

import (
	"testing"

	"millstream/protocol"
)

// testMacros compares macros with what they stand for: the name of the mail
// server, the address of its client, the queue id and the sender.
func testMacros(t *testing.T, r *rig) {
	token := r.token()
	id := queueID(r.mta.deliver(t, compose("macros", token)))
	want := "mx.example.org 127.0.0.1 " + id + " macros." + token + "@from.example.org"
	headerIs("X-Macros", want)(t, r.sink.wait(t, token))
}

// testReset gives a message up with RSET, and sends another one in the same
// session.
func testReset(t *testing.T, r *rig) {
	c := r.mta.connect(t)
	defer c.quit()
	given, sent := r.token(), r.token()
	if got := c.envelope(compose("header-added", given)); !got.ok() {
		t.Fatal(got)
	}
	if got := c.say("rset", "RSET"); !got.ok() {
		t.Fatal(got)
	}
	if got := c.send(compose("header-changed", sent)); !got.ok() {
		t.Fatal(got)
	}
	d := r.sink.wait(t, sent)
	headerIs("Subject", "new subject")(t, d)
	headerIs("X-Added")(t, d)
	r.ended(t, given, protocol.StatusAbort)
}

// testSeveral sends messages one after the other in one session; what the filter
// does to one must not show in the next.
func testSeveral(t *testing.T, r *rig) {
	c := r.mta.connect(t)
	defer c.quit()
	for _, plan := range []string{"everything", "none", "reject-at-header", "none", "discard-at-body", "none"} {
		token := r.token()
		got := c.send(compose(plan, token))
		if refused := plan == "reject-at-header"; got.ok() == refused {
			t.Errorf("%s: %v", plan, got)
		}
		if plan == "none" {
			d := r.sink.wait(t, token)
			bodyIs(body)(t, d)
			headerIs("X-Added")(t, d)
		}
	}
}

// testQuit leaves in the middle of a message, politely and not.
func testQuit(t *testing.T, r *rig) {
	for name, leave := range map[string]func(*client){"quit": (*client).quit, "close": (*client).close} {
		t.Run(name, func(t *testing.T) {
			c, token := r.mta.connect(t), r.token()
			if got := c.envelope(compose("none", token)); !got.ok() {
				t.Fatal(got)
			}
			leave(c)
			r.ended(t, token, protocol.StatusAbort)
		})
	}
}

// testUnknown says a command that no mail server knows, and then sends a message.
func testUnknown(t *testing.T, r *rig) {
	c := r.mta.connect(t)
	defer c.quit()
	heard := map[string]string{
		"postfix":  "FROB", // the rest is not told
		"sendmail": "FROB the knob",
	}[r.mta.name]
	got := c.say("unknown", "FROB the knob")
	if want := (reply{"unknown", 500, "5.5.1 never heard of " + heard}); got != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	token := r.token()
	if got := c.send(compose("none", token)); !got.ok() {
		t.Fatal(got)
	}
	r.sink.wait(t, token)
}

// ended waits until the filter was told how a message ended.
func (r *rig) ended(t *testing.T, token string, want protocol.Status) {
	t.Helper()
	eventually(t, "the end of message "+token, func() bool { return r.filter.result(token) != nil })
	if got := r.filter.result(token).Status; got != want {
		t.Errorf("message %s ended as %v, want %v", token, got, want)
	}
}
