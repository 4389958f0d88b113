package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A Letter is a message with its envelope. Addresses have no brackets; an empty sender is
// the null sender. Text is the message, of lines that end in CRLF; a header field of the
// test's own comes before it.
type Letter struct {
	From string
	To   []string
	Text string
}

// A Sent is a letter that Postfix has answered.
type Sent struct {
	Replies []string // to each recipient, as "250 2.1.5 Ok"
	Reply   string   // the last one: to the message, or to what made it end before
	Queue   string   // the queue id; "" if the message was not taken

	p     *Postfix
	token string
}

// SendLetter sends a letter in an SMTP session of its own from 127.0.0.1, to those of its
// recipients that Postfix takes.
func (p *Postfix) SendLetter(tb testing.TB, l Letter) *Sent {
	tb.Helper()
	p.sent++
	s := &Sent{p: p, token: fmt.Sprint("t", p.sent)}
	c := p.mta.connect(tb)
	defer c.quit()
	last := c.say("mail", "MAIL FROM:<%s>", l.From)
	if last.ok() {
		taken := 0
		for _, to := range l.To {
			last = c.say("rcpt", "RCPT TO:<%s>", to)
			s.Replies = append(s.Replies, last.spoken())
			if last.ok() {
				taken++
			}
		}
		if taken > 0 {
			last = c.message(append(text(tokenField+": "+s.token), l.Text...))
		}
	}
	s.Reply = last.spoken()
	if last.to == "message" && last.ok() {
		s.Queue = queueID(last)
	}
	return s
}

// spoken returns a reply as the client reads it.
func (r reply) spoken() string { return fmt.Sprintf("%d %s", r.code, r.text) }

// Arrived waits until the letter was delivered to a number of recipients, and returns the
// sender, the recipients in order, and the message.
func (s *Sent) Arrived(tb testing.TB, recipients int) (from string, to []string, message []byte) {
	tb.Helper()
	d := s.p.sink.gather(tb, s.token, recipients)
	for _, r := range d.To {
		to = append(to, r.Addr)
	}
	slices.Sort(to)
	return d.From, to, d.Data
}

// Came reports whether any of the letter was delivered so far.
func (s *Sent) Came() bool { return s.p.sink.came(s.token) }

// Held reports whether Postfix keeps the letter in its hold queue.
func (s *Sent) Held() bool {
	return s.Queue != "" && s.p.mta.quarantined(reply{text: "queued as " + s.Queue})
}

// Logged reports whether Postfix has logged a line with all of some words.
func (p *Postfix) Logged(words ...string) bool {
	for line := range strings.Lines(p.mta.log()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return true
		}
	}
	return false
}
