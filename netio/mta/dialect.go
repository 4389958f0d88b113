package mta

import "millstream/protocol"

// A Dialect is the MTA whose habits are followed: which macros it sends when, and
// what it writes at once.
type Dialect uint8

// The MTAs. Postfix writes a command and its macros at once, and macros with each
// command, even if none has a value. Sendmail writes each packet apart, and no
// macros with headers and body.
const (
	Postfix Dialect = iota
	Sendmail
)

// String returns the name of the MTA, in lower case.
func (d Dialect) String() string {
	if d == Sendmail {
		return "sendmail"
	}
	return "postfix"
}

// ParseDialect returns the MTA of a name.
func ParseDialect(name string) (d Dialect, ok bool) {
	for d := range Sendmail + 1 {
		if d.String() == name {
			return d, true
		}
	}
	return 0, false
}

// A macroSet tells which macros come with a command.
type macroSet struct {
	stage    protocol.Stage         // for which a milter asks for them
	sent     [Sendmail + 1]bool     // by these MTAs
	defaults [Sendmail + 1][]string // if the milter does not ask
}

var both = [...]bool{Postfix: true, Sendmail: true}

// Macros of the end of a message come with its headers and body, too.
var contentMacros = macroSet{
	protocol.StageEndOfMessage, [...]bool{Postfix: true, Sendmail: false}, [...][]string{Postfix: {"i"}, Sendmail: nil},
}

// tlsMacros come with helo.
var tlsMacros = []string{"tls_version", "cipher", "cipher_bits", "cert_subject", "cert_issuer"}

// macroSets has the macros of Postfix's milter_*_macros, and those of Sendmail's
// cf/m4/proto.m4.
var macroSets = [...]macroSet{
	protocol.CodeConnect: {protocol.StageConnect, both, [...][]string{
		Postfix:  {"j", "daemon_name", "daemon_addr", "v", "_"},
		Sendmail: {"j", "_", "daemon_name", "if_name", "if_addr"},
	}},
	protocol.CodeHelo: {protocol.StageHelo, both, [...][]string{Postfix: tlsMacros, Sendmail: tlsMacros}},
	protocol.CodeMailFrom: {protocol.StageMail, both, [...][]string{
		Postfix:  {"i", "auth_type", "auth_authen", "auth_author", "mail_addr", "mail_host", "mail_mailer"},
		Sendmail: {"i", "auth_type", "auth_authen", "auth_ssf", "auth_author", "mail_mailer", "mail_host", "mail_addr"},
	}},
	protocol.CodeRcptTo: {protocol.StageRcpt, both, [...][]string{
		Postfix:  {"i", "rcpt_addr", "rcpt_host", "rcpt_mailer"},
		Sendmail: {"rcpt_mailer", "rcpt_host", "rcpt_addr"},
	}},
	protocol.CodeData:        {protocol.StageData, both, [...][]string{Postfix: {"i"}, Sendmail: nil}},
	protocol.CodeHeader:      contentMacros,
	protocol.CodeEndOfHeader: {protocol.StageEndOfHeader, both, [...][]string{Postfix: {"i"}, Sendmail: nil}},
	protocol.CodeBody:        contentMacros,
	protocol.CodeEndOfMessage: {protocol.StageEndOfMessage, both, [...][]string{
		Postfix: {"i"}, Sendmail: {"msg_id"},
	}},
}

// Macros returns the names of the macros that come with a command, as far as they
// have a value: those that the milter asked for, or the defaults of the MTA. To
// Postfix an empty list is none. The list is shared.
func (d Dialect) Macros(cmd protocol.Code, asked *protocol.MacroLists) []string {
	if int(cmd) >= len(macroSets) || !macroSets[cmd].sent[d] {
		return nil
	}
	set := &macroSets[cmd]
	if list := asked[set.stage]; len(list) > 0 || d == Sendmail && list != nil {
		return list
	}
	return set.defaults[d]
}
