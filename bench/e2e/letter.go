package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A Letter is a message of a client that a test makes up. What is empty has a default.
type Letter struct {
	// Client is the address of the client. One of 127.0.0.0/8 connects itself; of
	// another, which is of 192.0.2.0/24, 198.51.100.0/24 or 203.0.113.0/24, the MTA is
	// told with XCLIENT.
	Client string

	// Login is who has logged in, which is told with XCLIENT too; empty is nobody.
	Login string

	// Helo is the name of EHLO; empty is client.example.org.
	Helo string

	// From is the envelope sender, and To the recipients, without brackets. Without
	// recipients it is to to@to.example.org.
	From string
	To   []string

	// Name names the letter in a header field of the test's own, to be waited for. It
	// may be empty.
	Name string

	// Header has the other fields, a line each; without any there is a Subject.
	Header []string

	// Body has lines that end in CRLF.
	Body string
}

// Send sends a letter, of its own SMTP session, whatever Postfix answers. It returns
// the codes and texts of the replies that tell what became of it: to each recipient, and
// if one was taken to the message; or the one that came before these and was not good. It
// reports whether the message was taken. It may be called by several goroutines.
func (p *Postfix) Send(l Letter) (replies []string, taken bool) {
	got, err := p.send(l)
	if err != nil {
		return []string{err.Error()}, false
	}
	for _, r := range got {
		replies = append(replies, r.line())
	}
	return replies, len(got) > 1 && got[len(got)-1].ok()
}

// send is Send with replies as they came.
func (p *Postfix) send(l Letter) (replies []reply, err error) {
	from := "127.0.0.1"
	if strings.HasPrefix(l.Client, "127.") {
		from, l.Client = l.Client, ""
	}
	c, r, err := open(p.mta.addr, from)
	if err != nil {
		return nil, err
	}
	defer c.quit()
	if r.ok() {
		r = c.introduce(l)
	}
	if r.ok() {
		r = c.say("mail", "MAIL FROM:<%s>", l.From)
	}
	if !r.ok() {
		return []reply{r}, nil
	}
	if l.To == nil {
		l.To = []string{"to@to.example.org"}
	}
	for _, to := range l.To {
		replies = append(replies, c.say("rcpt", "RCPT TO:<%s>", to))
	}
	if !slices.ContainsFunc(replies, reply.ok) {
		return replies, nil
	}
	if l.Header == nil {
		l.Header = []string{"Subject: a letter"}
	}
	header := append([]string{tokenField + ": " + l.Name}, l.Header...)
	return append(replies, c.message(text(append(header, "", l.Body)...))), nil
}

// introduce has the MTA believe that the client of the session is that of a letter.
func (c *client) introduce(l Letter) reply {
	var attributes string
	if l.Client != "" {
		attributes += " ADDR=" + l.Client
	}
	if l.Login != "" {
		attributes += " LOGIN=" + l.Login
	}
	if attributes != "" {
		if r := c.hello(""); !r.ok() {
			return r
		}
		if r := c.say("connect", "XCLIENT%s", attributes); !r.ok() {
			return r
		}
	}
	return c.hello(l.Helo)
}

// line returns the code and the text.
func (r reply) line() string { return fmt.Sprintf("%d %s", r.code, r.text) }

// A Fate is what became of a [Letter].
type Fate struct {
	// Refused is the last reply if that was not good, code and text; empty if the letter
	// was taken.
	Refused string

	// Held says that it is in the hold queue.
	Held bool

	// Delivered is the letter as it was delivered; nil if it was refused or is held.
	Delivered []byte
}

// Post sends a letter as SendLetter does, and waits until it is refused, held or
// delivered.
func (p *Postfix) Post(tb testing.TB, l Letter) Fate {
	tb.Helper()
	s := p.SendLetter(tb, l)
	switch {
	case s.Queue == "":
		return Fate{Refused: s.Reply()}
	case s.Held():
		return Fate{Held: true}
	}
	return Fate{Delivered: p.Wait(tb, s.name)}
}

// Wait waits until a letter was delivered, and returns it as it came.
func (p *Postfix) Wait(tb testing.TB, name string) []byte {
	tb.Helper()
	return p.sink.wait(tb, name).Data
}

// WaitAll waits until so many letters were delivered whose names begin with a text, and
// fails the test if there are more, or one came twice.
func (p *Postfix) WaitAll(tb testing.TB, prefix string, n int) {
	tb.Helper()
	p.sink.settle(tb, prefix, n)
	came := p.sink.all(prefix)
	if len(came) > n {
		tb.Errorf("%d letters came, want %d", len(came), n)
	}
	for name, deliveries := range came {
		if len(deliveries) > 1 {
			tb.Errorf("letter %s came %d times", name, len(deliveries))
		}
	}
}
