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

// A macroSource has the macros of a mail: those of the flags, and what is known of the
// client and the mail.
type macroSource struct {
	mta.Narrator
	given []givenMacro
}

// planMacros plans the macros.
func (f *sendFlags) planMacros(p *sendPlan) error {
	p.client.Macros, p.mail.Macros = clientMacros(p), mailMacros(p.mail)
	p.macros.Narrator = mta.Narrator{Dialect: p.dialect, Terms: new(mta.Terms), Client: &p.client, Mail: new(mta.Mail)}
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

// clientMacros returns the macros of the client and of our MTA by name.
func clientMacros(p *sendPlan) map[string]string {
	client, host := p.client.Connect, hostName()
	v := map[string]string{
		"j": host, "if_name": host, "if_addr": "127.0.0.1", "daemon_addr": "127.0.0.1", "daemon_port": "25",
		"daemon_name": host, "v": "millstream " + version(), "s": string(p.client.Helo.Name), "r": "ESMTP",
	}
	if p.dialect == mta.Sendmail {
		v["daemon_name"] = "MTA"
	}
	if a := client.Addr; a.IP.IsValid() {
		v["_"] = client.Host.String() + " [" + a.IP.String() + "]"
	}
	return v
}

// mailMacros returns the macros of the mail by name that are not known without.
func mailMacros(m *mta.Mail) map[string]string {
	v := map[string]string{"f": m.From.Mailbox().String()}
	for _, h := range m.Headers {
		if h.Name.EqualFold("Message-ID") {
			v["msg_id"] = strings.TrimSpace(h.Value.String())
		}
	}
	return v
}

// of returns the macros that come with a command; nil if no packet of macros does.
func (m *macroSource) of(code protocol.Code) []*protocol.Macro {
	var pairs []string
	names := m.Dialect.Macros(code, &m.Terms.Macros)
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
	if m.Dialect == mta.Sendmail && pairs == nil {
		return nil
	}
	return []*protocol.Macro{protocol.NewMacro(code, pairs...)}
}

// sent reports whether a macro is sent with any command.
func (m *macroSource) sent(name string) bool {
	for _, code := range macroCodes {
		if slices.Contains(m.Dialect.Macros(code, &m.Terms.Macros), name) {
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
	return m.Macro(code, name)
}
