package main

import (
	"fmt"
	"slices"
	"strings"

	"millstream/netio/mta"
	"millstream/protocol"
)

// macroCodes are the commands that macros come with.
var macroCodes = []protocol.Code{
	protocol.CodeConnect, protocol.CodeHelo, protocol.CodeMailFrom, protocol.CodeRcptTo, protocol.CodeData,
	protocol.CodeHeader, protocol.CodeEndOfHeader, protocol.CodeBody, protocol.CodeEndOfMessage,
}

// inMessage has the macros that have no value before a message begins.
var inMessage = map[string]bool{"f": true, "mail_addr": true, "mail_host": true, "mail_mailer": true, "msg_id": true}

// stageWords are other words for stages, those of libmilter and of SMTP.
var stageWords = map[string]protocol.Code{
	"envfrom": protocol.CodeMailFrom, "mail": protocol.CodeMailFrom,
	"envrcpt": protocol.CodeRcptTo, "rcpt": protocol.CodeRcptTo,
	"eoh": protocol.CodeEndOfHeader, "eom": protocol.CodeEndOfMessage,
}

// A givenMacro is one of the flag --macro.
type givenMacro struct {
	stage       protocol.Code // 0 for wherever it is sent
	name, value string
}

// A macroSource has the macros of a mail.
type macroSource struct {
	dialect mta.Dialect
	lists   protocol.MacroLists // what the milter asks for
	given   []givenMacro
	values  map[string]string // of the client and the sender
	queueID string

	queued bool             // there is a queue id
	rcpt   *protocol.RcptTo // the recipient that is told of
}

// planMacros plans the macros.
func (f *sendFlags) planMacros(p *sendPlan) error {
	p.macros = macroSource{dialect: p.dialect, queueID: p.mail.ID, values: macroValues(p)}
	for _, s := range f.macros {
		g, err := parseMacro(s)
		if err != nil {
			return err
		}
		p.macros.given = append(p.macros.given, g)
	}
	return nil
}

// parseMacro parses [stage:]name=value.
func parseMacro(s string) (givenMacro, error) {
	left, value, found := strings.Cut(s, "=")
	word, name, staged := strings.Cut(left, ":")
	if !staged {
		word, name = "", left
	}
	g := givenMacro{name: strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}"), value: value}
	if !found || g.name == "" || strings.ContainsAny(s, "\x00") {
		return g, fmt.Errorf("--macro %q is no macro; write name=value or stage:name=value", s)
	}
	if !staged {
		return g, nil
	}
	g.stage = stageWords[word]
	words := []string{}
	for _, code := range macroCodes {
		if words = append(words, code.String()); code.String() == word {
			g.stage = code
		}
	}
	if g.stage == 0 {
		slices.Sort(words)
		return g, fmt.Errorf("--macro %q: no stage is named %q; there are %s", s, word, strings.Join(words, ", "))
	}
	return g, nil
}

// macroValues returns the macros of the client and the sender by name.
func macroValues(p *sendPlan) map[string]string {
	client := p.client.Connect
	host, from := hostName(), p.mail.From.Mailbox().String()
	v := map[string]string{
		"j": host, "if_name": host, "if_addr": "127.0.0.1", "daemon_addr": "127.0.0.1", "daemon_port": "25",
		"daemon_name": host, "v": "millstream " + version(), "client_name": client.Host.String(),
		"s": string(p.client.Helo.Name), "r": "ESMTP", "f": from,
		"mail_addr": from, "mail_host": domain(from), "mail_mailer": "smtp",
	}
	if p.dialect == mta.Sendmail {
		v["daemon_name"], v["mail_mailer"] = "MTA", "esmtp"
	}
	if a := client.Addr; a.IP.IsValid() {
		v["client_addr"], v["client_port"] = a.IP.String(), fmt.Sprint(a.Port)
		v["_"] = client.Host.String() + " [" + a.IP.String() + "]"
	}
	for _, h := range p.mail.Headers {
		if h.Name.EqualFold("Message-ID") {
			v["msg_id"] = strings.TrimSpace(h.Value.String())
		}
	}
	return v
}

// domain returns what stands behind the @ of an address.
func domain(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }

// of returns the macros that come with a command; nil if no packet of macros does.
func (m *macroSource) of(code protocol.Code) []*protocol.Macro {
	var pairs []string
	names := m.dialect.Macros(code, &m.lists)
	for _, name := range names {
		if value, ok := m.lookup(code, name); ok {
			pairs = append(pairs, name, value)
		}
	}
	for _, g := range m.given {
		unasked := g.stage == 0 && code == protocol.CodeConnect && !m.sent(g.name)
		if (g.stage == code || unasked) && !slices.Contains(names, g.name) {
			pairs = append(pairs, g.name, g.value)
		}
	}
	if m.dialect == mta.Sendmail && pairs == nil {
		return nil
	}
	return []*protocol.Macro{protocol.NewMacro(code, pairs...)}
}

// sent reports whether a macro is sent with any command.
func (m *macroSource) sent(name string) bool {
	for _, code := range macroCodes {
		if slices.Contains(m.dialect.Macros(code, &m.lists), name) {
			return true
		}
	}
	return false
}

// lookup returns the value of a macro: the one given for this command or for all,
// or else our own.
func (m *macroSource) lookup(code protocol.Code, name string) (value string, ok bool) {
	for _, stage := range []protocol.Code{code, 0} {
		for _, g := range slices.Backward(m.given) {
			if g.stage == stage && g.name == name {
				return g.value, true
			}
		}
	}
	switch {
	case name == "i":
		return m.queueID, m.queued || m.dialect == mta.Sendmail && code != protocol.CodeConnect && code != protocol.CodeHelo
	case m.rcpt != nil && name == "rcpt_addr":
		return m.rcpt.Mailbox().String(), true
	case m.rcpt != nil && name == "rcpt_host":
		return domain(m.rcpt.Mailbox().String()), true
	case m.rcpt != nil && name == "rcpt_mailer":
		return "smtp", true
	case inMessage[name] && (code == protocol.CodeConnect || code == protocol.CodeHelo):
		return "", false
	}
	value, ok = m.values[name]
	return value, ok
}
