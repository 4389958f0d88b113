package e2e

import (
	"cmp"
	"slices"
	"strings"
	"testing"
)

// A Sent is a letter that Postfix has answered.
type Sent struct {
	Replies []string // as those of [Postfix.Send]
	Queue   string   // the queue id; "" if the letter was not taken

	p    *Postfix
	name string
}

// SendLetter sends a letter as Send does, for what becomes of it to be asked.
func (p *Postfix) SendLetter(tb testing.TB, l Letter) *Sent {
	tb.Helper()
	l.Name = cmp.Or(l.Name, p.token())
	replies, err := p.send(l)
	if err != nil {
		tb.Fatal(err)
	}
	s := &Sent{p: p, name: l.Name}
	for _, r := range replies {
		s.Replies = append(s.Replies, r.line())
	}
	if last := replies[len(replies)-1]; last.to == "message" && last.ok() {
		s.Queue = queueID(last)
	}
	return s
}

// Reply returns the last reply, code and text.
func (s *Sent) Reply() string { return s.Replies[len(s.Replies)-1] }

// Arrived waits until the letter was delivered to a number of recipients, and returns the
// sender, the recipients in order, and the message.
func (s *Sent) Arrived(tb testing.TB, recipients int) (from string, to []string, message []byte) {
	tb.Helper()
	d := s.p.sink.gather(tb, s.name, recipients)
	for _, r := range d.To {
		to = append(to, r.Addr)
	}
	slices.Sort(to)
	return d.From, to, d.Data
}

// Came reports whether any of the letter was delivered so far.
func (s *Sent) Came() bool { return s.p.sink.came(s.name) }

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
