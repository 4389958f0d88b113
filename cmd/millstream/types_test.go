package main

import (
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/cmd/internal/config"
	"millstream/handlers/resolver/dnstest"
	"millstream/netio/mta"
	"millstream/protocol"
)

// typesFile has a handler of each type, and a second of one.
const typesFile = `
[admin]
address = "127.0.0.1:0"
[dns]
servers = ["SERVER"]
[networks]
met = ["192.0.2.0/24"]

[[handler]]
type = "archive"
maildir = "DIR"

[[handler]]
type = "access"
[[handler.rule]]
look_up = "sender"
entries = ["bad@example.com"]
action = "reject"

[[handler]]
type = "dnsbl"
zones = [{ zone = "ip.test" }]
actions = [{ score = 1, do = "header", header = "X-Listed", text = "{{zones}}" }]

[[handler]]
type = "greylist"
skip_networks = ["met"]

[[handler]]
type = "greylist"
name = "strict"
when = 'rcpt == "strict@example.net"'

[[handler]]
type = "ratelimit"
[[handler.limit]]
name = "sender"
key = ["sender"]
what = "messages"
limit = 1
window = "1h"

[[handler]]
type = "reply"
stage = "rcpt"
verdict = "reject"
text = "closed"
when = 'rcpt == "closed@example.net"'

[[handler]]
type = "rule"
[[handler.rule]]
when = 'result("reply").verdict == "" && helo == "helo.example"'
add_headers = ["X-Rule: {{sender_domain}}"]

[[handler]]
type = "subject"
tag = "[external]"

[[handler]]
type = "header"
add = [{ name = "X-Queue", value = "{{queue_id}}" }]
`

// TestServeTypes checks and serves a file with a handler of each type, and sends mail
// through it.
func TestServeTypes(t *testing.T) {
	noVariables(t)
	for _, kind := range config.Types() {
		if !strings.Contains(typesFile, "type = \""+kind.Name+"\"\n") {
			t.Errorf("the file has no handler of the type %s", kind.Name)
		}
	}
	n := dnstest.Run(t, map[string]string{"ip.test": "7.2.0.192 A 127.0.0.2\n"})
	dir := t.TempDir()
	file := configFile(t, strings.NewReplacer("SERVER", n.Addr, "DIR", dir).Replace(typesFile))
	if out, errOut, status := run(t, "check", "-c", file); status != 0 {
		t.Fatalf("%d %s%s", status, out, errOut)
	}
	s := startServe(t, serveFlags{file: file, given: func(flag string) bool { return flag == "socket" }}, nil)
	addr := protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.7"), Port: 4711}
	letter := func(from, to string) *mta.Mail {
		m := mta.NewMail("<"+from+">", []string{"<" + to + ">"}, []byte("Subject: hi\n\nHello\n"))
		m.ID = "Q1"
		return m
	}
	got := deliverFrom(t, s.socket, addr,
		letter("bad@example.com", "b@example.net"), letter("c@example.com", "closed@example.net"),
		letter("d@example.com", "strict@example.net"), letter("a@example.com", "b@example.net"), letter("a@example.com", "b@example.net"))
	for i, want := range []string{"reject 554", "reject 550 closed", "tempfail 450 4.7.1 greylisted", "continue", "tempfail 450 4.7.1 limit of 1"} {
		text := got[i].Text
		if len(got[i].Refused) > 0 {
			text = got[i].Refused[0].Text
		}
		if said := got[i].Status.String() + " " + text; !strings.HasPrefix(said, want) {
			t.Errorf("mail %d: %s, want %s", i, said, want)
		}
	}
	changes := make(map[string]string)
	for _, c := range got[3].Changes {
		changes[string(c.Name)] = strings.TrimSpace(string(c.Value))
	}
	for name, want := range map[string]string{"X-Listed": "ip.test", "X-Rule": "example.com", "Subject": "[external] hi", "X-Queue": "Q1"} {
		if changes[name] != want {
			t.Errorf("%s is %q, want %q", name, changes[name], want)
		}
	}
	_, text := fetch(t, http.MethodGet, "http://"+adminAddress(t, s)+"/metrics")
	for _, want := range []string{
		`greylist_decisions_total{greylist_result="skipped",milter_handler="greylist"}`,
		`greylist_decisions_total{greylist_result="deferred",milter_handler="strict"} 1`,
		`ratelimit_decisions_total{limit="sender",milter_handler="ratelimit",result="over"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the measurements", want)
		}
	}
	s.stop(t)
	copies, err := filepath.Glob(filepath.Join(dir, "new", "*"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies %q, %v", copies, err)
	}
	if data, err := os.ReadFile(copies[0]); err != nil || !strings.Contains(string(data), "X-Envelope-To: <b@example.net>\n") {
		t.Errorf("the copy is %q, %v", data, err)
	}
}
