package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	udiff "github.com/aymanbagabas/go-udiff"

	"millstream/netio/mta"
)

// A letter is a mail as an MTA keeps it: what a milter changes.
type letter struct {
	from   mailbox
	to     []mailbox
	fields []letterField
	body   []byte // lines end in CRLF
	held   string // the reason for which it is quarantined
	isHeld bool
}

// A letterField is a header field.
type letterField struct {
	name  string
	value string // all behind the colon, lines separated by LF
	own   bool   // added by the MTA, after the milter has seen the message
	gone  bool   // deleted, but counted still
}

// newLetter returns the mail of p, without the recipients that were refused.
func newLetter(p *sendPlan, refused []mta.Refusal) letter {
	m := p.mail
	l := letter{
		from:   mailbox{m.From.Addr.String(), m.From.Params.Strings()},
		fields: []letterField{{name: "Received", value: " (of the MTA)", own: true}},
		body:   m.Body,
	}
	for i, to := range m.To {
		if !slices.ContainsFunc(refused, func(r mta.Refusal) bool { return r.Recipient == i }) {
			l.to = append(l.to, mailbox{to.Addr.String(), to.Params.Strings()})
		}
	}
	for _, h := range m.Headers {
		l.fields = append(l.fields, letterField{name: h.Name.String(), value: h.Value.String()})
	}
	return l
}

// clone returns a copy that can be changed.
func (l *letter) clone() letter {
	c := *l
	c.to, c.fields = slices.Clone(l.to), slices.Clone(l.fields)
	return c
}

// message returns header and body, without what the MTA adds.
func (l *letter) message(crlf bool) []byte {
	var b bytes.Buffer
	for _, f := range l.fields {
		if !f.own && !f.gone {
			b.WriteString(f.name + ":" + strings.ReplaceAll(f.value, "\r\n", "\n") + "\n")
		}
	}
	b.WriteByte('\n')
	b.Write(bytes.ReplaceAll(l.body, []byte("\r\n"), []byte("\n")))
	if crlf {
		return bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte("\r\n"))
	}
	return b.Bytes()
}

// text returns the mail as a person reads it: envelope, header, body.
func (l *letter) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "MAIL FROM:%s\n", l.from)
	for _, to := range l.to {
		fmt.Fprintf(&b, "RCPT TO:%s\n", to)
	}
	b.WriteString("DATA\n")
	for _, f := range l.fields {
		if !f.gone {
			fmt.Fprintf(&b, "%s:%s\n", f.name, strings.ReplaceAll(f.value, "\r\n", "\n"))
		}
	}
	b.WriteByte('\n')
	b.Write(bytes.ReplaceAll(l.body, []byte("\r\n"), []byte("\n")))
	return printable(b.String())
}

// oddities tells what an admin might not see.
func (l *letter) oddities() []string {
	var notes []string
	if len(l.to) == 0 {
		notes = append(notes, "no recipient is left: nobody gets the message")
	}
	if bytes.Count(l.body, []byte("\n")) != bytes.Count(l.body, []byte("\r\n")) {
		notes = append(notes, "the new body has lines that end in LF alone; milters send CRLF")
	}
	return notes
}

// diff returns what became of a mail; nothing if it is as it was.
func diff(before, after *letter) string {
	return udiff.Unified("as sent", "as delivered", before.text(), after.text())
}

// printable returns s with what a terminal may not get written as \xNN.
func printable(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == '\n' || r == '\t' || unicode.IsGraphic(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(s[:n])
		} else {
			for _, c := range []byte(s[:n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		}
		s = s[n:]
	}
	return b.String()
}
