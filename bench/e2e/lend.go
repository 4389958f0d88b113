package e2e

import (
	"fmt"
	"net"
	"testing"
)

// A Postfix is a private instance of Postfix between an SMTP client and a sink, for
// tests of other packages.
type Postfix struct {
	mta  *mta
	sink *sink
	sent int
}

// StartPostfix runs a Postfix that asks the milter at an address, until the test
// ends. The milter need not listen before the first message. Where no Postfix can run
// the test is skipped, with the reason; one that fails shows the log of Postfix.
func StartPostfix(tb testing.TB, milter net.Addr) *Postfix {
	tb.Helper()
	if why := postfix.missing(); why != "" {
		tb.Skip(why)
	}
	p := &Postfix{sink: startSink(tb)}
	p.mta = postfix.start(tb, milter, p.sink.port)
	p.mta.showLog(tb)
	return p
}

// Deliver sends a message with more header lines, of its own SMTP session from
// 127.0.0.1, that Postfix must take. It returns the queue id and the message as it
// was delivered.
func (p *Postfix) Deliver(tb testing.TB, header ...string) (queue string, delivered []byte) {
	tb.Helper()
	return p.DeliverText(tb, text(append(header, "Subject: a letter", "", "Hello")...))
}

// DeliverText is Deliver for a message with its body, of lines that end in CRLF. A header
// field of the test's own comes first.
func (p *Postfix) DeliverText(tb testing.TB, message []byte) (queue string, delivered []byte) {
	tb.Helper()
	token := p.token()
	got := p.mta.deliver(tb, mail{
		from: "<from@from.example.org>",
		to:   []string{"<to@to.example.org>"},
		data: append(text(tokenField+": "+token), message...),
	})
	return queueID(got), p.sink.wait(tb, token).Data
}

// token returns a name for a message.
func (p *Postfix) token() string {
	p.sent++
	return fmt.Sprint("t", p.sent)
}

// Refuse sends a message with more header lines from a sender, of its own SMTP session
// from 127.0.0.1, that Postfix must refuse. It returns the code and the text of the reply.
func (p *Postfix) Refuse(tb testing.TB, from string, header ...string) string {
	tb.Helper()
	got, taken := p.Send(Letter{From: from, Header: header, Body: "Hello"})
	if taken {
		tb.Errorf("it was taken: %q", got)
	}
	return got[len(got)-1]
}
