package corpus

import (
	"net/mail"
	"slices"
	"strings"

	"millstream/netio/mta"
	"millstream/protocol"
)

const (
	defaultSender    = "<sender@example.org>"
	defaultRecipient = "<recipient@example.com>"

	// maxRecipients of a message are taken from its header, as many as RFC 5321,
	// section 4.5.3.1.8, has every server take.
	maxRecipients = 100
)

// An Envelope is used for each mail instead of that which it has. Addresses may be
// without their angle brackets and with ESMTP parameters: "a@example.org SIZE=10".
type Envelope struct {
	From string   // "<>" for bounces; empty leaves the sender that each mail has
	To   []string // empty leaves the recipients
}

// apply puts what e has into m.
func (e *Envelope) apply(m *mta.Mail) {
	if e.From != "" {
		addr, params := parsePath(e.From)
		m.From = protocol.MailFrom{Addr: addr, Params: params}
	}
	if len(e.To) == 0 {
		return
	}
	m.To = nil
	for _, to := range e.To {
		addr, params := parsePath(to)
		m.To = append(m.To, protocol.RcptTo{Addr: addr, Params: params})
	}
}

// parsePath parses an address and its parameters.
func parsePath(s string) (protocol.View, protocol.Params) {
	s = strings.TrimSpace(s)
	addr, params, _ := strings.Cut(s, " ")
	if strings.HasPrefix(s, "<") {
		addr, params, _ = strings.Cut(s[1:]+" ", "> ") // a quoted local part may have spaces
	}
	return protocol.View(bracket(addr)), protocol.NewParams(strings.Fields(params)...)
}

// envelopeOf sets the envelope of a mail to that which its header tells of.
func envelopeOf(m *mta.Mail) {
	m.From.Addr = protocol.View(senderOf(m))
	to := addresses(m, "To", "Cc")
	if len(to) == 0 {
		to = addresses(m, "Delivered-To")
	}
	if len(to) == 0 {
		to = []string{defaultRecipient}
	}
	for _, addr := range to {
		m.To = append(m.To, protocol.RcptTo{Addr: protocol.View(addr)})
	}
}

// senderOf returns the sender that the header of a mail tells of.
func senderOf(m *mta.Mail) string {
	if paths := values(m, "Return-Path"); len(paths) > 0 && strings.TrimSpace(paths[0]) == "<>" {
		return "<>"
	}
	for _, name := range []string{"Return-Path", "From"} {
		if list := addresses(m, name); len(list) > 0 {
			return list[0]
		}
	}
	return defaultSender
}

// addresses returns the addresses in fields of some names, each once. What cannot
// be parsed is left out.
func addresses(m *mta.Mail, names ...string) []string {
	var all []string
	for _, name := range names {
		for _, value := range values(m, name) {
			list, err := mail.ParseAddressList(value)
			if err != nil {
				continue
			}
			for _, a := range list {
				if addr := bracket(a.Address); isPath(addr) && !slices.Contains(all, addr) {
					all = append(all, addr)
				}
			}
		}
	}
	return all[:min(len(all), maxRecipients)]
}

// values returns the values of the fields of a name.
func values(m *mta.Mail, name string) []string {
	var list []string
	for _, h := range m.Headers {
		if h.Name.EqualFold(name) {
			list = append(list, strings.ReplaceAll(h.Value.String(), "\n", ""))
		}
	}
	return list
}

// bracket puts an address into brackets.
func bracket(addr string) string { return "<" + addr + ">" }

// isPath reports whether an address in brackets can stand in an SMTP command.
func isPath(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
