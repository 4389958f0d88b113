package mta

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"millstream/protocol"
)

// A Narrator has what macros tell of: a client and one of its messages.
type Narrator struct {
	Dialect Dialect
	Terms   *Terms
	Client  *Client          // may be nil
	Mail    *Mail            // an empty one before a message
	To      *protocol.RcptTo // the recipient that there are macros for
	Queued  bool             // a recipient was taken: to Postfix there is a queue id

	ids *[]int // where queue ids begin; nil if that does not matter
}

// Macro returns the value of a macro that comes with a command, if it has one.
func (n *Narrator) Macro(cmd protocol.Code, name string) (value string, ok bool) {
	b, ok := n.appendValue(nil, cmd, name)
	return string(b), ok
}

// define appends the macros of a command.
func (n *Narrator) define(dst []byte, cmd protocol.Code) []byte {
	start, empty := len(dst), true
	dst = (&protocol.Macro{Stage: cmd}).Append(dst)
	for _, name := range n.Dialect.Macros(cmd, &n.Terms.Macros) {
		before := len(dst)
		dst = appendName(dst, name)
		var ok bool
		if dst, ok = n.appendValue(dst, cmd, name); !ok {
			dst = dst[:before]
			continue
		}
		dst = append(dst, 0)
		empty = false
	}
	if empty && n.Dialect == Sendmail {
		return dst[:start]
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4)) // the length does not count itself
	return dst
}

// appendName appends the name of a macro and its NUL.
func appendName(dst []byte, name string) []byte {
	if len(name) == 1 {
		return append(dst, name[0], 0)
	}
	dst = append(dst, '{')
	dst = append(dst, name...)
	return append(dst, '}', 0)
}

// appendValue appends the value of a macro, if it has one.
func (n *Narrator) appendValue(dst []byte, cmd protocol.Code, name string) (out []byte, ok bool) {
	if v, ok := n.Mail.Macros[name]; ok {
		return append(dst, v...), true
	}
	if n.Client != nil {
		if v, ok := n.Client.Macros[name]; ok {
			return append(dst, v...), true
		}
		if out, ok := appendOfClient(dst, name, &n.Client.Connect); ok {
			return out, true
		}
	}
	if name == "i" {
		return n.appendID(dst, cmd)
	}
	return n.appendOfEnvelope(dst, name)
}

// appendID appends the queue id. Postfix has one from the first good recipient on,
// Sendmail from the sender on.
func (n *Narrator) appendID(dst []byte, cmd protocol.Code) (out []byte, ok bool) {
	early := n.Dialect == Sendmail && cmd != protocol.CodeConnect && cmd != protocol.CodeHelo
	if n.Mail.ID == "" || !n.Queued && !early {
		return dst, false
	}
	if n.ids != nil {
		*n.ids = append(*n.ids, len(dst))
	}
	return append(dst, n.Mail.ID...), true
}

// appendOfEnvelope appends the value of a macro that tells of the sender or of a
// recipient.
func (n *Narrator) appendOfEnvelope(dst []byte, name string) (out []byte, ok bool) {
	var box protocol.View
	of, what := name[:min(5, len(name))], name[min(5, len(name)):]
	switch {
	case of == "mail_" && n.Mail.From.Addr != nil:
		box = n.Mail.From.Mailbox()
	case of == "rcpt_" && n.To != nil:
		box = n.To.Mailbox()
	default:
		return dst, false
	}
	switch what {
	case "addr":
		return append(dst, box...), true
	case "host":
		return append(dst, box[bytes.LastIndexByte(box, '@')+1:]...), true
	case "mailer":
		return append(dst, n.Dialect.mailer()...), true
	}
	return dst, false
}

// mailer returns the name of the delivery agent for other hosts.
func (d Dialect) mailer() string {
	if d == Sendmail {
		return "esmtp"
	}
	return "smtp"
}

// appendOfClient appends the value of a macro that tells of the client.
func appendOfClient(dst []byte, name string, c *protocol.Connect) (out []byte, ok bool) {
	switch {
	case name == "client_name":
		return append(dst, c.Host...), true
	case name == "client_addr" && c.Addr.IP.IsValid():
		return c.Addr.IP.AppendTo(dst), true
	case name == "client_port" && c.Addr.IP.IsValid():
		return strconv.AppendUint(dst, uint64(c.Addr.Port), 10), true
	}
	return dst, false
}
