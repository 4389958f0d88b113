package main

import (
	"bytes"
	"fmt"
	"mime"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"millstream/bench/e2e"
)

// ruleFile has a rule for each verdict and change; senders and recipients choose them.
const ruleFile = `
[[handler]]
type = "reply"
name = "later"
stage = "rcpt"
verdict = "reject"
mode = "observe"
text = "not yet"
when = 'rcpt == "watched@to.example.org"'

[[handler]]
type = "rule"
[[handler.rule]]
when = 'sender == "reject@from.example.org"'
action = "reject"
code = 550
enhanced = "5.7.9"
text = """
{{sender}} is not wanted
ask {{client_addr}}"""
[[handler.rule]]
when = 'sender == "later@from.example.org"'
action = "tempfail"
text = "{{sender_domain}} waits"
[[handler.rule]]
when = 'sender == "discard@from.example.org"'
action = "discard"
[[handler.rule]]
when = 'sender == "accept@from.example.org"'
action = "accept"
[[handler.rule]]
when = 'rcpt == "closed@to.example.org"'
action = "reject"
enhanced = "5.1.1"
text = "{{rcpt}} has moved on"
[[handler.rule]]
when = 'rcpt == "left-out@to.example.org"'
action = "discard"
[[handler.rule]]
when = 'rcpt_domain == "old.example.org"'
rewrite_recipient = '{{split(rcpt, "@")[0]}}@new.example.org'
continue = true
[[handler.rule]]
when = 'result("later").verdict == "reject"'
add_headers = ["X-Earlier: {{result('later').verdict}}"]
continue = true
[[handler.rule]]
when = 'header("Subject") == "hold"'
quarantine = "held for {{sender}}"
[[handler.rule]]
when = 'header("Subject") == "change"'
add_headers = ["X-One: {{sender_domain}} & {{rcpt_count}}", "X-Two: zwei"]
sender = "bounce+{{sender_domain}}@new.example.org"
add_recipients = ["added@to.example.org"]
delete_recipients = ["GONE@to.example.org"]

[[handler]]
type = "header"
name = "last"
add = [{ name = "X-Last", value = "asked" }]
`

// A ruleLetter is a letter for the rules, and what becomes of it.
type ruleLetter struct {
	from, subject string
	to            []string
	reply         string
	recipients    []string // that get it; nil for none
	sender        string   // if it is another one
	header        string   // names and values of what was added
	held          bool
}

// ruleLetters returns a letter for each rule.
func ruleLetters() []ruleLetter {
	const known = "from@from.example.org"
	return []ruleLetter{
		{from: "reject@from.example.org", reply: "550 5.7.9 reject@from.example.org is not wanted\n5.7.9 ask 127.0.0.1"},
		{from: "later@from.example.org", reply: "451 4.7.1 from.example.org waits"},
		{from: "discard@from.example.org", reply: "250 2.0.0 Ok: queued as"},
		{from: "accept@from.example.org", reply: "250", recipients: []string{"to@to.example.org"}},
		{from: known, to: []string{"closed@to.example.org"}, reply: "554 5.1.1 closed@to.example.org has moved on"},
		{
			from: known, to: []string{"a@to.example.org", "closed@to.example.org", "b@to.example.org"}, reply: "250",
			recipients: []string{"a@to.example.org", "b@to.example.org"}, header: "X-Last=asked",
		},
		{
			from: known, to: []string{"a@to.example.org", "left-out@to.example.org"}, reply: "250",
			recipients: []string{"a@to.example.org"}, header: "X-Last=asked",
		},
		{from: known, to: []string{"left-out@to.example.org"}, reply: "250 2.0.0 Ok: queued as"},
		{
			from: known, to: []string{"a@old.example.org", "c@to.example.org"}, reply: "250",
			recipients: []string{"a@new.example.org", "c@to.example.org"}, header: "X-Last=asked",
		},
		{
			from: known, to: []string{"watched@to.example.org"}, reply: "250",
			recipients: []string{"watched@to.example.org"}, header: "X-Earlier=reject X-Last=asked",
		},
		{from: known, subject: "hold", reply: "250", held: true},
		{
			from: known, subject: "change", to: []string{"to@to.example.org", "gone@to.example.org"}, reply: "250",
			recipients: []string{"added@to.example.org", "to@to.example.org"}, sender: "bounce+from.example.org@new.example.org",
			header: "X-One=from.example.org & 2 X-Two=zwei X-Last=asked",
		},
		{from: "", reply: "250", recipients: []string{"to@to.example.org"}, header: "X-Last=asked"},
	}
}

// TestPostfixRule has a real Postfix ask rules of a file: it answers, holds, discards,
// changes and delivers as they say.
func TestPostfixRule(t *testing.T) {
	noVariables(t)
	postfix, s := behindPostfix(t, serveFlags{file: configFile(t, ruleFile)}, nil)
	for _, tt := range ruleLetters() {
		if tt.to == nil {
			tt.to = []string{"to@to.example.org"}
		}
		if tt.subject == "" {
			tt.subject = "a letter"
		}
		if tt.sender == "" {
			tt.sender = tt.from
		}
		t.Run(tt.from+" "+tt.subject+" "+strings.Join(tt.to, " "), func(t *testing.T) {
			sent := postfix.SendLetter(t, e2e.Letter{From: tt.from, To: tt.to, Header: []string{"Subject: " + tt.subject}, Body: "Hello\r\n"})
			if !strings.HasPrefix(sent.Reply(), tt.reply) {
				t.Fatalf("answered %q, want %q", sent.Reply(), tt.reply)
			}
			for i, said := range sent.Replies[:min(len(sent.Replies), len(tt.to))] {
				if closed := tt.to[i] == "closed@to.example.org"; strings.HasPrefix(said, "554 5.1.1 ") != closed {
					t.Errorf("%s was answered %q", tt.to[i], said)
				}
			}
			if sent.Held() != tt.held {
				t.Errorf("held: %v", sent.Held())
			}
			if len(tt.recipients) == 0 {
				if sent.Queue != "" && !tt.held && !postfix.Logged(sent.Queue, "milter-discard") {
					t.Error("Postfix has not discarded it")
				}
				if sent.Came() {
					t.Error("it was delivered")
				}
				return
			}
			from, to, message := sent.Arrived(t, len(tt.recipients))
			if from != tt.sender || !slices.Equal(to, tt.recipients) {
				t.Errorf("delivered from %q to %q, want from %q to %q", from, to, tt.sender, tt.recipients)
			}
			if got := ruleHeader(t, message, "X-One", "X-Two", "X-Earlier", "X-Last"); got != tt.header {
				t.Errorf("delivered with %q, want %q", got, tt.header)
			}
		})
	}
	log := s.stop(t)
	for _, want := range []string{
		"verdict=discard", "verdict=accept", "by=rule", "rejected=1", "verdict=quarantine", `reason="held for from@from.example.org"`,
		`msg="observed only" handler=later`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in\n%s", want, log)
		}
	}
}

// ruleHeader returns the fields of some names, as "Name=value" with blanks between them.
func ruleHeader(t *testing.T, message []byte, names ...string) string {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		for _, value := range m.Header[name] {
			found = append(found, name+"="+value)
		}
	}
	return strings.Join(found, " ")
}

// TestPostfixSubject has a real Postfix deliver messages whose Subject is tagged once,
// whether it is plain, encoded, folded, tagged before, or missing.
func TestPostfixSubject(t *testing.T) {
	noVariables(t)
	file := configFile(t, `
[[handler]]
type = "subject"
tag = "[extern]"
if = 'sender_domain == "from.example.org" && header("List-Id") == ""'

[[handler]]
type = "subject"
name = "umlaut"
tag = "[Größe {{size > 1000 ? 'L' : 'S'}}]"
if = 'header("X-Size") == "yes"'
`)
	postfix, _ := behindPostfix(t, serveFlags{file: file}, nil)
	for i, tt := range []struct {
		header string
		want   []string // as it is read
	}{
		{"Subject: hello\r\n", []string{"[extern] hello"}},
		{"Subject: [extern] hello\r\n", []string{"[extern] hello"}},
		{"Subject: Re: [extern] hello\r\n", []string{"Re: [extern] hello"}},
		{"Subject: =?iso-8859-1?q?Gr=FC=DFe?= an alle\r\n", []string{"[extern] Grüße an alle"}},
		{"Subject: =?utf-8?q?Re=3A_=5Bextern=5D_Gr=C3=BC=C3=9Fe?=\r\n", []string{"Re: [extern] Grüße"}},
		{"Subject: a long one\r\n that is folded\r\n", []string{"[extern] a long one that is folded"}},
		{"Subject:\r\n", []string{"[extern]"}},
		{"", []string{"[extern]"}},
		{"Subject: one\r\nSubject: two\r\n", []string{"[extern] one", "two"}},
		{"Subject: hello\r\nList-Id: <l.from.example.org>\r\n", []string{"hello"}},
		{"Subject: hello\r\nX-Size: yes\r\n", []string{"[Größe S] [extern] hello"}},
		{"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Size: yes\r\n", []string{"[Größe S] [extern] Grüße"}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			text := tt.header + "From: <from@from.example.org>\r\n\r\nHello\r\n"
			for pass := range 2 { // what was delivered comes again
				_, delivered := postfix.DeliverText(t, []byte(text))
				header, err := netmail.ReadMessage(bytes.NewReader(delivered))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, value := range header.Header["Subject"] {
					read, err := new(mime.WordDecoder).DecodeHeader(value)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, read)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("pass %d: %q of %q, want %q", pass+1, got, header.Header["Subject"], tt.want)
				}
				_, text, _ = strings.Cut(string(delivered), "X-Token: ")
				_, text, _ = strings.Cut(text, "\r\n")
			}
		})
	}
}
