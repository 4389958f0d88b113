package mta

import (
	"bytes"

	"millstream/protocol"
)

// A Client is an SMTP client. It is only read, so several connections may share
// one.
type Client struct {
	Connect protocol.Connect
	Helo    protocol.Helo

	// Macros has values by name, without braces: "j", "daemon_name", "v". Those
	// named after a field of Client or [Mail] need not be here.
	Macros map[string]string
}

// A Mail is a message to send. It is only read, so several connections may share
// one.
type Mail struct {
	ID   string // the queue id: macro "i", from the first good recipient on
	From protocol.MailFrom
	To   []protocol.RcptTo

	// Headers have as their value all that stands behind the colon, lines
	// separated by LF. One space is left out before it is sent, if milters are not
	// to see it.
	Headers []protocol.Header

	Body   protocol.View     // lines end in CRLF
	Macros map[string]string // as those of [Client], before which they go
}

// NewMail returns a mail. Addresses are as in SMTP, with angle brackets. The lines
// of message, which is header and body, may end in LF or CRLF. What does not look
// like a header begins the body.
func NewMail(from string, to []string, message []byte) *Mail {
	m := &Mail{From: protocol.MailFrom{Addr: protocol.View(from)}}
	for _, addr := range to {
		m.To = append(m.To, protocol.RcptTo{Addr: protocol.View(addr)})
	}
	rest := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	for {
		n := headerLen(rest)
		field := bytes.TrimSuffix(rest[:n], []byte("\n"))
		name, value, found := bytes.Cut(field, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if !found || len(name) == 0 || bytes.ContainsFunc(name, isNotOfNames) {
			break
		}
		m.Headers = append(m.Headers, protocol.Header{Name: protocol.View(name), Value: protocol.View(value)})
		rest = rest[n:]
	}
	rest = bytes.TrimPrefix(rest, []byte("\n"))
	m.Body = bytes.ReplaceAll(rest, []byte("\n"), []byte("\r\n"))
	return m
}

// isNotOfNames reports whether r cannot be in the name of a header field: RFC 5322,
// section 2.2.
func isNotOfNames(r rune) bool { return r <= ' ' || r > '~' }

// headerLen returns the length of the line that b begins with and of those that go
// on with it, as they begin with white space.
func headerLen(b []byte) int {
	for n := 0; ; {
		i := bytes.IndexByte(b[n:], '\n')
		if i < 0 {
			return len(b)
		}
		n += i + 1
		if n == len(b) || b[n] != ' ' && b[n] != '\t' {
			return n
		}
	}
}

// An Outcome is what became of a client or a message. It is owned.
type Outcome struct {
	// Status is the verdict: Continue or Accept if the message is taken, Reject,
	// TempFail or Discard if it is not.
	Status protocol.Status

	// Stage is the command whose answer settled it: end-of-message, unless a
	// verdict came before. It is envelope-recipient for a message all of whose
	// recipients were refused.
	Stage protocol.Code

	Text    string            // the SMTP reply of a refusal, if the milter gave one
	Refused []Refusal         // recipients
	Changes []protocol.Answer // to be made if the message is taken, in order
}

// A Refusal is a recipient that was refused alone.
type Refusal struct {
	Recipient int             // its place in Mail.To
	Status    protocol.Status // Reject or TempFail
	Text      string          // the SMTP reply, if the milter gave one
}

// Taken reports whether the message, or the client, goes on its way.
func (o *Outcome) Taken() bool {
	return o.Status.IsPass() || o.Status == protocol.StatusAccept
}
