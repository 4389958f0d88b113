package main

import (
	"bytes"
	netmail "net/mail"
	"strings"
	"testing"

	"millstream/bench/e2e"
	"millstream/handlers/resolver/dnstest"
)

// The clients of these tests, by what lists say of them.
const (
	dnsblClean    = "203.0.113.1"
	dnsblDynamic  = "198.51.100.9"  // in dyn
	dnsblListed   = "198.51.100.7"  // in ip.test and dyn
	dnsblAllowed  = "198.51.100.6"  // in ip.test and good.test
	dnsblUnwanted = "198.51.100.66" // in door.test
)

// dnsblZones are lists.
var dnsblZones = map[string]string{
	"ip.test":      "7.100.51.198 A 127.0.0.2\n7.100.51.198 TXT \"see list.example\"\n6.100.51.198 A 127.0.0.4\n",
	"key.dyn.test": "7.100.51.198 A 127.0.0.10\n9.100.51.198 A 127.0.0.10\n",
	"good.test":    "6.100.51.198 A 127.0.0.2\n",
	"name.test":    "*.bad.example A 127.0.0.2\n",
	"door.test":    "66.100.51.198 A 127.0.0.2\n",
	"refuses.test": "* A 127.255.255.254\n",
}

// dnsblFile is a file with several lists. One of them does not serve this resolver.
const dnsblFile = `
[dns]
servers = ["SERVER"]
[[handler]]
type = "dnsbl"
name = "door"
stage = "connect"
zones = [{ zone = "door.test" }]
actions = [{ score = 1, do = "reject" }]
[[handler]]
type = "dnsbl"
name = "lists"
zones = [
	{ zone = "ip.test", weight = 3, txt = true },
	{ zone = "key.dyn.test", name = "dyn", weight = 2 },
	{ zone = "good.test", weight = -5 },
	{ zone = "name.test", lookup = ["helo", "sender", "uri"], weight = 4, text = "a bad name" },
	{ zone = "refuses.test", lookup = ["client", "uri"], weight = 20 },
]
actions = [
	{ score = 8, do = "reject", text = "{{listed}} by {{zones}}: {{reason}}" },
	{ score = 6, do = "tempfail", text = "{{score}} for {{client_addr}} {{helo}} {{sender}}" },
	{ score = 4, do = "quarantine" },
	{ score = 1, do = "header", header = "X-Listed" },
]
`

// dnsblSettings returns a file whose servers are that of n.
func dnsblSettings(t *testing.T, text string, n *dnstest.NSD) string {
	t.Helper()
	return configFile(t, strings.ReplaceAll(text, "SERVER", n.Addr))
}

// dnsblFate returns what became of a letter in one line: its refusal, held, or delivered
// and the fields of a name that it was delivered with.
func dnsblFate(t *testing.T, p *e2e.Postfix, l e2e.Letter, field string) string {
	t.Helper()
	fate := p.Post(t, l)
	switch {
	case fate.Refused != "":
		return fate.Refused
	case fate.Held:
		return "held"
	}
	m, err := netmail.ReadMessage(bytes.NewReader(fate.Delivered))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace("delivered " + strings.Join(m.Header[field], ", "))
}

// TestPostfixDNSBL has lists of the DNS asked about what clients say to a real Postfix.
func TestPostfixDNSBL(t *testing.T) {
	noVariables(t)
	file := dnsblSettings(t, dnsblFile, dnstest.Run(t, dnsblZones))
	postfix, s := behindPostfix(t, serveFlags{file: file}, nil)
	for _, tt := range []struct {
		name   string
		letter e2e.Letter
		want   string
	}{
		{"clean", e2e.Letter{Client: dnsblClean, Body: "http://good.example/"}, "delivered"},
		{"client", e2e.Letter{Client: dnsblDynamic}, "delivered score=2 zones=dyn"},
		{"weights of two lists", e2e.Letter{Client: dnsblListed}, "held"},
		{"logged in", e2e.Letter{Client: dnsblListed, Login: "somebody"}, "delivered"},
		{"allowlist", e2e.Letter{Client: dnsblAllowed}, "delivered"},
		{"allowlist and host", e2e.Letter{Client: dnsblAllowed, Body: "HTTP://x.bad.example?"}, "delivered score=2 zones=ip.test, name.test"},
		{"helo", e2e.Letter{Client: dnsblClean, Helo: "mx.bad.example"}, "held"},
		{"sender", e2e.Letter{Client: dnsblClean, From: "a@b.bad.example"}, "held"},
		{"host", e2e.Letter{Client: dnsblClean, Body: "see http://www.bad.example/x"}, "held"},
		{
			"client and helo",
			e2e.Letter{Client: dnsblDynamic, Helo: "mx.bad.example", From: "a@b.example"},
			"451 4.7.1 6 for 198.51.100.9 mx.bad.example a@b.example",
		},
		{
			"client and sender",
			e2e.Letter{Client: dnsblListed, From: "a@b.bad.example"},
			"554 5.7.1 198.51.100.7, b.bad.example by ip.test, dyn, name.test: see list.example; a bad name",
		},
		{
			"hosts",
			e2e.Letter{Client: dnsblClean, Body: "http://one.bad.example http://two.bad.example"},
			"554 5.7.1 one.bad.example, two.bad.example by name.test: a bad name",
		},
		{"before a word", e2e.Letter{Client: dnsblUnwanted}, "554 mx.example.org ESMTP not accepting connections"},
		{"private", e2e.Letter{From: "a@b.bad.example", Body: "http://www.bad.example/"}, "delivered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dnsblFate(t, postfix, tt.letter, "X-Listed"); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
	log := s.stop(t)
	if strings.Count(log, "a list fails") != 1 || strings.Contains(log, "key.") {
		t.Errorf("log\n%s", log)
	}
}
