package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// A Letter is a message of a client that a test makes up.
type Letter struct {
	// Client is the address of the client, one of 192.0.2.0/24, 198.51.100.0/24 and
	// 203.0.113.0/24; empty is 127.0.0.1. The MTA is told with XCLIENT.
	Client string

	// Login is who has logged in, which is told with XCLIENT too; empty is nobody.
	Login string

	// Helo is the name of EHLO; empty is client.example.org.
	Helo string

	// From is the envelope sender without brackets.
	From string

	// Text is the body, of lines that end in CRLF.
	Text string
}

// A Fate is what became of a [Letter].
type Fate struct {
	// Refused is the first reply that was not good, code and text; empty if the letter was
	// taken.
	Refused string

	// Held says that it is in the hold queue.
	Held bool

	// Delivered is the letter as it was delivered; nil if it was refused or is held.
	Delivered []byte
}

// Post sends a letter to to@to.example.org, of its own SMTP session, and waits until it is
// refused, held or delivered.
func (p *Postfix) Post(tb testing.TB, l Letter) Fate {
	tb.Helper()
	c := p.mta.connect(tb)
	defer c.quit()
	got := c.introduce(l)
	token := p.token()
	if got.ok() {
		got = c.send(mail{
			from: "<" + l.From + ">",
			to:   []string{"<to@to.example.org>"},
			data: text(tokenField+": "+token, "Subject: a letter", "", l.Text),
		})
	}
	switch {
	case !got.ok():
		return Fate{Refused: fmt.Sprintf("%d %s", got.code, got.text)}
	case p.mta.quarantined(got):
		return Fate{Held: true}
	}
	return Fate{Delivered: p.sink.wait(tb, token).Data}
}

// introduce has the MTA believe that the client of the session is that of a letter.
func (c *client) introduce(l Letter) reply {
	var attributes strings.Builder
	if l.Client != "" {
		attributes.WriteString(" ADDR=" + l.Client)
	}
	if l.Login != "" {
		attributes.WriteString(" LOGIN=" + l.Login)
	}
	if attributes.Len() > 0 {
		if r := c.say("connect", "XCLIENT%s", attributes.String()); !r.ok() {
			return r
		}
	}
	return c.hello(l.Helo)
}
