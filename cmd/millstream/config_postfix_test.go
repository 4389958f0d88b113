package main

import (
	"bytes"
	"net/http"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPostfixFile serves a file with lists, conditions and texts to a real Postfix, which
// refuses what that refuses, and delivers the rest with what it adds.
func TestPostfixFile(t *testing.T) {
	noVariables(t)
	senders := filepath.Join(t.TempDir(), "senders")
	if err := os.WriteFile(senders, []byte("bad@from.example.org REJECT 550 5.7.1 not you\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := configFile(t, `
[networks]
here = ["127.0.0.0/8"]
[lists]
partners = { entries = ["from@from.example.org"], kind = "addresses" }
senders = { file = "`+senders+`", kind = "addresses" }
[[handler]]
type = "access"
[[handler.rule]]
look_up = "sender"
lists = ["senders"]
action = "reject"
[[handler]]
type = "reply"
name = "strangers"
stage = "rcpt"
verdict = "reject"
when = 'in_network("here") && !in_list("partners", sender)'
enhanced = "5.7.2"
text = "{{sender}} is no partner"
[[handler]]
type = "reply"
name = "subject"
stage = "eom"
verdict = "reject"
when = 'header("Subject") == "forbidden"'
code = 554
text = "no {{header('Subject')}} mail"
[[handler]]
type = "header"
add = [{ name = "X-Queue", value = "{{queue_id}} for {{rcpt_count}}" }]
`)
	postfix, s := behindPostfix(t, serveFlags{file: file}, nil)
	queue, delivered := postfix.Deliver(t)
	m, err := netmail.ReadMessage(bytes.NewReader(delivered))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Header.Get("X-Queue"); got != queue+" for 1" {
		t.Errorf("delivered with %q, of %s", got, queue)
	}
	for _, tt := range []struct{ from, subject, want string }{
		{"bad@from.example.org", "x", "550 5.7.1 not you"},
		{"other@from.example.org", "x", "550 5.7.2 other@from.example.org is no partner"},
		{"from@from.example.org", "forbidden", "554 no forbidden mail"},
	} {
		if got := postfix.Refuse(t, tt.from, "Subject: "+tt.subject); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.from, got, tt.want)
		}
	}
	log := s.stop(t)
	for _, want := range []string{"verdict=continue", "by=access", "rejected=1", "by=subject"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in\n%s", want, log)
		}
	}
}

// TestServeWithoutRedis checks that a server whose Redis is away is ready.
func TestServeWithoutRedis(t *testing.T) {
	noVariables(t)
	file := configFile(t, "[store]\ntype = \"redis\"\nurls = [\"redis://"+silentAddress(t)+"\"]\n")
	s := startServe(t, serveFlags{file: file, admin: "127.0.0.1:0", adminGiven: true}, nil)
	base := "http://" + adminAddress(t, s)
	waitFor(t, "Redis is missed", func() bool {
		_, text := fetch(t, http.MethodGet, base+"/metrics")
		return strings.Contains(text, "\nstore_fallback 1")
	})
	waitFor(t, "the server is ready", func() bool { status, _ := fetch(t, http.MethodGet, base+"/readyz"); return status == http.StatusOK })
	if log := s.stop(t); !strings.Contains(log, "redis does not answer") {
		t.Errorf("log\n%s", log)
	}
}
