package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"millstream/bench/e2e"
	"millstream/handlers/resolver/dnstest"
)

// dnsblHandlers begins a file with the handler "plain", which has no policy of its own and
// is asked if no other one is. What is behind all handlers marks mails.
const dnsblHandlers = `
[dns]
servers = ["SERVER"]
[[handler]]
type = "dnsbl"
name = "plain"
when = 'sender == ""'
zones = [{ zone = "ip.test" }, { zone = "dyn.test" }]
actions = [{ score = 2, do = "reject" }, { score = 1, do = "header", header = "X-Listed" }]
`

// dnsblPolicies are the words of on_error and on_timeout, and what becomes of mail.
var dnsblPolicies = map[string]string{
	"continue":   "delivered behind",
	"accept":     "delivered",
	"tempfail":   "451 4.7.1 Service unavailable, try again later",
	"reject":     "550 5.7.1 Message refused: a filter failed",
	"quarantine": "held",
}

// dnsblGuarded returns handlers for each policy. Each is asked for the sender who is called
// as it is. Those of "error" fail when their own time is over, or before; those of "host"
// do so about the text; those of "timeout" are not given the time to. What the other key
// says is another answer than that.
func dnsblGuarded() string {
	var text strings.Builder
	for word := range dnsblPolicies {
		other := "reject"
		if word == other {
			other = "tempfail"
		}
		for _, h := range []struct{ name, lookup, settings string }{
			{"error", "client", `deadline = "100ms"` + "\non_error = %q\non_timeout = %q\n"},
			{"host", "uri", `deadline = "100ms"` + "\non_error = %q\non_timeout = %q\n"},
			{"timeout", "client", `timeout = "100ms"` + "\non_timeout = %q\non_error = %q\n"},
		} {
			name := h.name + "-" + word
			fmt.Fprintf(&text, "[[handler]]\ntype = \"dnsbl\"\nname = %q\nwhen = 'sender == \"%s@a.example\"'\n", name, name)
			fmt.Fprintf(&text, h.settings, word, other)
			fmt.Fprintf(&text, "zones = [{ zone = \"ip.test\", lookup = [%q] }]\nactions = [{ score = 1, do = \"reject\" }]\n", h.lookup)
		}
	}
	return text.String() + "[[handler]]\ntype = \"header\"\nadd = [{ name = \"X-Fate\", value = \"behind\" }]\n"
}

// A dnsblState is a way in which a server of the DNS is away.
type dnsblState struct {
	name   string
	silent bool                                     // nothing comes that is an answer
	enter  func(t *testing.T, n *dnstest.NSD) error // what happens to the server, if anything does
	answer func(query []byte) [][]byte              // what stands in for the server, which is then stopped
}

// dnsblStates follow each other.
var dnsblStates = []dnsblState{
	{name: "hangs", silent: true, enter: func(_ *testing.T, n *dnstest.NSD) error { return n.Hang() }},
	{name: "is stopped", enter: func(_ *testing.T, n *dnstest.NSD) error { n.Stop(); return nil }},
	{name: "answers noise", silent: true, answer: func(q []byte) [][]byte {
		return [][]byte{nil, {0}, []byte(strings.Repeat("\xa5\x5a\x00\xff", 200)), append([]byte{^q[0]}, q[1:7]...)}
	}},
	{name: "is silent over TCP", silent: true, enter: dnsblListen, answer: func(q []byte) [][]byte {
		q[2] |= 0x82 // a response, and cut off
		return [][]byte{q}
	}},
	{name: "answers with another number", silent: true, answer: func(q []byte) [][]byte {
		return [][]byte{dnsblListing(q, 1)}
	}},
	{name: "answers what cannot be read", answer: func(q []byte) [][]byte { return [][]byte{dnsblListing(q, 0)[:len(q)-8]} }},
}

// dnsblListen takes connections at the address of a server until the test ends, and says
// nothing.
func dnsblListen(t *testing.T, n *dnstest.NSD) error {
	t.Helper()
	l, err := net.Listen("tcp", n.Addr)
	if err == nil {
		t.Cleanup(func() { _ = l.Close() })
	}
	return err
}

// dnsblListing returns the answer to a query that says 127.0.0.2, with another number if
// flip is not 0.
func dnsblListing(query []byte, flip byte) []byte {
	const header, option = 12, 11 // of bytes, at the begin and at the end
	answer := slices.Clone(query[:len(query)-option])
	copy(answer[1:header], []byte{query[1] ^ flip, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0})
	return append(answer, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2)
}

// A dnsblRig is a server behind Postfix that asks a server of the DNS.
type dnsblRig struct {
	postfix *e2e.Postfix
	clients int
}

// post sends a mail of a sender and returns what became of it. Each is of a client of its
// own, of which nothing is known. Every one of them is listed by ip.test.
func (r *dnsblRig) post(t *testing.T, sender string) string {
	t.Helper()
	r.clients++
	return dnsblFate(t, r.postfix, e2e.Letter{
		Client: r.client(), From: sender, Body: fmt.Sprintf("http://host%d.example/", r.clients),
	}, "X-Fate")
}

// client returns the last client.
func (r *dnsblRig) client() string { return fmt.Sprintf("198.51.100.%d", r.clients) }

// through sends a mail to each of the handlers that are to fail, and to the one without a
// policy, by which mail goes on.
func (r *dnsblRig) through(t *testing.T, state *dnsblState) {
	kinds := []string{"error", "host"}
	if state.silent {
		kinds = append(kinds, "timeout")
	}
	for _, kind := range kinds {
		for word, want := range dnsblPolicies {
			if got := r.post(t, kind+"-"+word+"@a.example"); got != want {
				t.Errorf("%s %s: %s, want %s", kind, word, got, want)
			}
		}
	}
	if got := r.post(t, ""); got != "delivered behind" {
		t.Errorf("plain: %s", got)
	}
}

// TestPostfixDNSBLFails has the server of the DNS fail in every way, and mail treated as
// the file says, or go on; and then the lists count again.
func TestPostfixDNSBLFails(t *testing.T) {
	noVariables(t)
	n := dnstest.Run(t, map[string]string{"ip.test": "*.100.51.198 A 127.0.0.2\n", "dyn.test": "*.100.51.198 A 127.0.0.2\n"})
	file := dnsblSettings(t, dnsblHandlers+dnsblGuarded(), n)
	postfix, s := behindPostfix(t, serveFlags{file: file, admin: "127.0.0.1:0", adminGiven: true}, nil)
	r := &dnsblRig{postfix: postfix}
	refused := func() string { return "554 5.7.1 " + r.client() + " is listed by ip.test, dyn.test" }
	if got := r.post(t, ""); got != refused() {
		t.Fatal(got)
	}
	for _, state := range dnsblStates {
		t.Run(state.name, func(t *testing.T) {
			if state.answer != nil {
				n.Stop()
				dnstest.ServeAt(t, n.Addr, state.answer)
			}
			if state.enter != nil {
				if err := state.enter(t, n); err != nil {
					t.Fatal(err)
				}
			}
			r.through(t, &state)
		})
	}
	_, text := fetch(t, http.MethodGet, "http://"+adminAddress(t, s)+"/metrics")
	if want := fmt.Sprintf(`dnsbl_answers_total{dnsbl_result="failed",dnsbl_zone="dyn.test"} %d`, len(dnsblStates)); !strings.Contains(text, want) {
		t.Errorf("no %s in\n%s", want, text)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	last := r.clients
	waitFor(t, "the last client that could not be looked up is listed", func() bool {
		r.clients = last - 1
		return r.post(t, "") == refused()
	})
	if got := r.post(t, ""); got != refused() {
		t.Errorf("when it is back: %s", got)
	}
	log := s.stop(t)
	for _, want := range []string{`msg="a list fails" list=dyn.test`, `msg="a list answers again" list=dyn.test`} {
		if strings.Count(log, want) != 1 {
			t.Errorf("not once %s in\n%s", want, log)
		}
	}
}
