package mta

import (
	"encoding/binary"
	"strconv"

	"millstream/protocol"
)

// A macroSet tells which macros come with a command.
type macroSet struct {
	stage    protocol.Stage // for which a milter asks for them
	defaults []string       // if it does not
}

// Macros of the end of a message come with its headers and body, too.
var endMacros = macroSet{protocol.StageEndOfMessage, []string{"i"}}

// macroSets has the defaults of Postfix.
var macroSets = [...]macroSet{
	protocol.CodeConnect: {protocol.StageConnect, []string{"j", "daemon_name", "daemon_addr", "v", "_"}},
	protocol.CodeHelo: {protocol.StageHelo, []string{
		"tls_version", "cipher", "cipher_bits", "cert_subject", "cert_issuer",
	}},
	protocol.CodeMailFrom: {protocol.StageMail, []string{
		"i", "auth_type", "auth_authen", "auth_author", "mail_addr", "mail_host", "mail_mailer",
	}},
	protocol.CodeRcptTo:       {protocol.StageRcpt, []string{"i", "rcpt_addr", "rcpt_host", "rcpt_mailer"}},
	protocol.CodeData:         {protocol.StageData, []string{"i"}},
	protocol.CodeHeader:       endMacros,
	protocol.CodeEndOfHeader:  {protocol.StageEndOfHeader, []string{"i"}},
	protocol.CodeBody:         endMacros,
	protocol.CodeEndOfMessage: endMacros,
}

// define gathers the macros of a command: those that were asked for, as far as
// they have a value. An empty list asks Postfix for its defaults.
func (d *delivery) define(cmd protocol.Code) {
	c, set := d.c, &macroSets[cmd]
	names := c.lists[set.stage]
	if len(names) == 0 {
		names = set.defaults
	}
	start := len(c.out)
	c.out = (&protocol.Macro{Stage: cmd}).Append(c.out)
	for _, name := range names {
		before := len(c.out)
		c.out = appendName(c.out, name)
		var ok bool
		if c.out, ok = d.appendValue(c.out, name); !ok {
			c.out = c.out[:before]
			continue
		}
		c.out = append(c.out, 0)
	}
	binary.BigEndian.PutUint32(c.out[start:], uint32(len(c.out)-start-4)) // the length does not count itself
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
func (d *delivery) appendValue(dst []byte, name string) (out []byte, ok bool) {
	if v, ok := d.mail.Macros[name]; ok {
		return append(dst, v...), true
	}
	if client := d.c.client; client != nil {
		if v, ok := client.Macros[name]; ok {
			return append(dst, v...), true
		}
		if out, ok := appendOfClient(dst, name, &client.Connect); ok {
			return out, true
		}
	}
	switch {
	case name == "i" && d.queued && d.mail.ID != "":
		return append(dst, d.mail.ID...), true
	case name == "mail_addr" && d.mail.From.Addr != nil:
		return append(dst, d.mail.From.Mailbox()...), true
	case name == "rcpt_addr" && d.to != nil:
		return append(dst, d.to.Mailbox()...), true
	}
	return dst, false
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
