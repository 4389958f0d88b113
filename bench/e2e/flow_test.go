package e2e

import (
	"slices"
	"testing"
)

// A flow is an SMTP session of which a mail server tells the milter in its own
// way.
type flow struct {
	name  string
	about string
	takes string                     // what the filter is told of, if it does not answer everything
	does  []string                   // what it does: lines of a script
	only  string                     // the mail server that can do it, if one alone can
	from  string                     // the client by which the recording is known, if not flowClient
	run   func(*testing.T, *flowRig) // nil for one message
}

// flows are those that are kept in testdata/flows for each mail server.
var flows = slices.Concat([]flow{
	{
		name:  "message",
		about: "One message, and no word against it.",
	},
	{
		name:  "changes",
		about: "All that a filter can change. The mail server hears of it without a word.",
		does: []string{
			"end-of-message: add-header X-Added: yes",
			"end-of-message: insert-header 0 X-Inserted: yes",
			"end-of-message: change-header 1 Subject: new",
			"end-of-message: change-from <new@from.example.org>",
			"end-of-message: add-recipient <three@to.example.org>",
			"end-of-message: delete-recipient <one@to.example.org>",
			`end-of-message: replace-body "new\r\n"`,
			"end-of-message: quarantine held by a test",
		},
	},
	{
		name:  "macros",
		about: "Macros as a filter finds them at the end.",
		does:  []string{"end-of-message: tell-macros j i mail_addr rcpt_addr"},
	},
	{
		name:  "two-recipients",
		about: "A message for two.",
		run: func(t *testing.T, r *flowRig) {
			m := letter("one")
			m.to = append(m.to, "<two@to.example.org>")
			r.session(t, m)
		},
	},
	{
		name:  "one-of-two-recipients",
		about: "A message for two, of whom one is refused.",
		does:  []string{"envelope-recipient <one@to.example.org>: reject 550 5.1.1 no such user"},
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			defer c.quit()
			m := letter("one")
			c.say("mail", "MAIL FROM:%s", m.from)
			c.say("rcpt", "RCPT TO:%s", m.to[0])
			c.say("rcpt", "RCPT TO:<two@to.example.org>")
			c.message(m.data)
		},
	},
	{
		name:  "parameters",
		about: "Parameters of the sender and the recipient.",
		run: func(t *testing.T, r *flowRig) {
			m := letter("one")
			m.from += " SIZE=500 BODY=8BITMIME"
			m.to[0] += " NOTIFY=NEVER"
			r.session(t, m)
		},
	},
	{
		name:  "several",
		about: "Three messages of one client, of which the second is refused.",
		does:  []string{"envelope-from <two@from.example.org>: reject 550 5.7.1 not you"},
		run: func(t *testing.T, r *flowRig) {
			r.session(t, letter("one"), letter("two"), letter("three"))
		},
	},
	{
		name:  "reset",
		about: "A client gives a message up, and sends another one.",
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			defer c.quit()
			c.envelope(letter("one"))
			c.say("rset", "RSET")
			c.send(letter("two"))
		},
	},
	{
		name:  "hello-again",
		about: "A client greets once more in a message, which ends it.",
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			defer c.quit()
			c.envelope(letter("one"))
			c.hello("")
			c.send(letter("two"))
		},
	},
	{
		name:  "quit",
		about: "A client leaves in a message.",
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			c.envelope(letter("one"))
			c.quit()
		},
	},
	{
		name:  "lost",
		about: "A client is lost in the middle of a message.",
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			c.envelope(letter("one"))
			c.say("data", "DATA")
			_ = c.conn.PrintfLine("Subject: never\r\n\r\nto be") // the recording tells
			c.close()
		},
	},
	{
		name:  "no-message",
		about: "A client greets and leaves.",
		run:   func(t *testing.T, r *flowRig) { r.session(t) },
	},
	{
		name:  "unknown",
		about: "A command that no mail server knows, before a message and in it.",
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			defer c.quit()
			c.say("unknown", "FROB the knob")
			m := letter("one")
			c.envelope(m)
			c.say("unknown", "FROB again")
			c.message(m.data)
		},
	},
	{
		name:  "unknown-refused",
		about: "The milter refuses what the mail server does not know either.",
		does:  []string{"unknown: reject 500 5.5.1 never heard of it"},
		run: func(t *testing.T, r *flowRig) {
			c := r.greet(t)
			defer c.quit()
			c.say("unknown", "FROB the knob")
			c.send(letter("one"))
		},
	},
	{
		name:  "unanswered",
		about: "Only the end of the message is answered: the mail server goes on at once.",
		takes: "filter observes connect helo envelope-from envelope-recipient data header end-of-header body\n" +
			"filter answers end-of-message\n",
	},
	{
		name:  "local",
		about: "A message of the sendmail command.",
		only:  "postfix",
		from:  localHost,
		run:   sendLocally,
	},
}, verdictFlows())

// verdictFlows are one message with each verdict at each event. A client is not
// dropped before it has a message.
func verdictFlows() (list []flow) {
	for _, event := range events {
		for _, verdict := range []string{"accept", "discard", "reject", "tempfail"} {
			if verdict == "discard" && (event.name == "connect" || event.name == "helo") {
				continue
			}
			does := event.name + ": " + verdict + map[string]string{
				"reject": " 550 5.7.1 refused", "tempfail": " 451 4.7.1 not now",
			}[verdict]
			list = append(list, flow{
				name:  verdict + "-at-" + event.name,
				about: "One message, and the verdict " + verdict + " at " + event.name + ".",
				does:  []string{does},
			})
		}
	}
	return list
}
