package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// planMail plans the envelope and reads or writes the message.
func (f *sendFlags) planMail(p *sendPlan, in io.Reader) error {
	from, err := parseMailbox("--from", f.from)
	if err != nil {
		return err
	}
	for _, param := range f.fromParams {
		params, err := parseParams("--from-param", param)
		if err != nil {
			return err
		}
		from.params = append(from.params, params...)
	}
	if len(f.to) == 0 {
		f.to = []string{"recipient@example.com"}
	}
	to := make([]mailbox, len(f.to))
	for i, s := range f.to {
		if to[i], err = parseMailbox("--to", s); err != nil {
			return err
		}
	}
	if f.queueID == "" {
		f.queueID = newQueueID(p.dialect)
	}
	message, err := f.message(in, from, to)
	if err != nil {
		return err
	}
	p.mail = readMail(p, message)
	p.mail.ID = f.queueID
	p.mail.From = protocol.MailFrom{Addr: protocol.View(from.addr), Params: protocol.NewParams(from.params...)}
	for _, m := range to {
		p.mail.To = append(p.mail.To, protocol.RcptTo{Addr: protocol.View(m.addr), Params: protocol.NewParams(m.params...)})
	}
	return nil
}

// A mailbox is an address of the envelope, in angle brackets.
type mailbox struct {
	addr   string
	params []string
}

// String returns the address as it stands in an SMTP command.
func (m mailbox) String() string { return strings.Join(append([]string{m.addr}, m.params...), " ") }

// parseMailbox parses an address with its parameters. Brackets may be left out.
func parseMailbox(flag, s string) (mailbox, error) {
	addr, params := s, ""
	if strings.HasPrefix(s, "<") {
		var found bool
		if addr, params, found = strings.Cut(s[1:]+" ", "> "); !found {
			return mailbox{}, fmt.Errorf("%s %q: the > is missing", flag, s)
		}
	} else if !strings.HasPrefix(s, `"`) { // a quoted local part may have spaces
		addr, params, _ = strings.Cut(s, " ")
	}
	if strings.ContainsAny(addr, "\x00\r\n<>") {
		return mailbox{}, fmt.Errorf("%s %q is no address", flag, s)
	}
	if flag == "--to" && addr == "" {
		return mailbox{}, errors.New("--to is empty; write an address such as recipient@example.com")
	}
	m := mailbox{addr: "<" + addr + ">"}
	var err error
	m.params, err = parseParams(flag, params)
	return m, err
}

// parseParams parses parameters, which are separated by spaces.
func parseParams(flag, params string) ([]string, error) {
	if strings.ContainsFunc(params, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("%s: parameters %q have a control byte in them", flag, params)
	}
	return strings.Fields(params), nil
}

// message returns the message that is to be sent.
func (f *sendFlags) message(in io.Reader, from mailbox, to []mailbox) ([]byte, error) {
	switch f.file {
	case "":
		return f.compose(from, to)
	case "-":
		message, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("no message from standard input: %w", err)
		}
		return message, nil
	}
	message, err := os.ReadFile(f.file)
	if err != nil {
		return nil, fmt.Errorf("no message to send: %w", err)
	}
	return message, nil
}

// compose returns a message of our own.
func (f *sendFlags) compose(from mailbox, to []mailbox) ([]byte, error) {
	subject, body := f.subject, f.body
	if subject == "" {
		subject = "a test of a mail filter"
	}
	if body == "" {
		body = "This message tests a mail filter.\nIt was made by millstream send.\n"
	}
	names := make([]string, len(to))
	for i, m := range to {
		names[i] = m.addr
	}
	lines := []string{
		"From: " + from.addr,
		"To: " + strings.Join(names, ", "),
		"Subject: " + subject,
		"Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <" + f.queueID + "@" + hostName() + ">",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
	}
	for _, line := range f.headers {
		name, _, found := strings.Cut(line, ":")
		if !found || name == "" || strings.ContainsAny(name, " \t\r\n") {
			return nil, fmt.Errorf("--header %q is no line of a header; write 'Name: value'", line)
		}
		lines = slices.DeleteFunc(lines, func(l string) bool { // ours gives way
			return len(l) > len(name) && strings.EqualFold(l[:len(name)+1], name+":")
		})
	}
	lines = append(lines, f.headers...)
	for _, line := range lines {
		rest := strings.ReplaceAll(strings.ReplaceAll(line, "\n ", ""), "\n\t", "")
		if strings.ContainsAny(rest, "\x00\r\n") {
			return nil, fmt.Errorf("%q is no line of a header: a line end in it must be followed by a space", line)
		}
	}
	return []byte(strings.Join(lines, "\n") + "\n\n" + strings.TrimSuffix(body, "\n") + "\n"), nil
}

// readMail takes a message apart. What an MTA would not send is left out, with a
// note.
func readMail(p *sendPlan, message []byte) *mta.Mail {
	if bytes.HasPrefix(message, []byte("From ")) {
		_, message, _ = bytes.Cut(message, []byte("\n"))
		p.notes = append(p.notes, `the first line, "From ...", is that of a mailbox: left out`)
	}
	line, _, _ := bytes.Cut(message, []byte("\n"))
	p.crlf = bytes.HasSuffix(line, []byte("\r"))
	m := mta.NewMail("<>", nil, message)
	if len(m.Headers) == 0 {
		p.notes = append(p.notes, "the message has no header: does it begin with an empty line?")
	}
	for i, h := range m.Headers {
		if bytes.IndexByte(h.Value, 0) >= 0 {
			m.Headers[i].Value = bytes.ReplaceAll(h.Value, []byte{0}, nil)
			p.notes = append(p.notes, fmt.Sprintf("the header %s has NUL bytes: left out", h.Name))
		}
	}
	return m
}

// newQueueID returns a name in the queue, as the MTA might give.
func newQueueID(d mta.Dialect) string {
	if d == mta.Postfix {
		return fmt.Sprintf("%010X", 1<<36+rand.Int64N(1<<39))
	}
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
	id := make([]byte, 8)
	for i := range id {
		id[i] = digits[rand.IntN(len(digits))]
	}
	return fmt.Sprintf("%s%06d", id, os.Getpid()%1e6)
}

// hostName returns the name of this machine.
func hostName() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}
