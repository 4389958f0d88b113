package when

import (
	"strconv"
	"strings"

	"millstream/handlers"
	"millstream/protocol"
)

// declared returns the SIZE that was given with MAIL; 0 if none was, or none that is a
// number.
func declared(params []string) int {
	n, err := strconv.Atoi(param(params, "SIZE"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// A function makes a leaf of the words that stand in brackets behind its name.
type function struct {
	name  string
	usage string
	args  int // how many words it must have
	more  int // how many it may have beside
	leaf  func(c *compiler, args []string) (l leaf, hint string)
}

// functions are the functions whose arguments must be words. in_list is another kind,
// see [compiler.inList].
var functions = []function{
	{name: "header", usage: `header("Subject")`, args: 1, leaf: headerLeaf},
	{name: "headers", usage: `headers("Received")`, args: 1, leaf: headersLeaf},
	{name: "sender_param", usage: `sender_param("BODY")`, args: 1, leaf: senderParamLeaf},
	{name: "rcpt_param", usage: `rcpt_param("NOTIFY")`, args: 1, leaf: rcptParamLeaf},
	{name: "macro", usage: `macro("auth_type"), or macro("name", "helo") with the stage it is sent at`, args: 1, more: 1, leaf: macroFunction},
	{name: "in_network", usage: `in_network("trusted")`, args: 1, leaf: inNetworkLeaf},
}

func headerLeaf(c *compiler, args []string) (leaf, string) {
	i := c.unit.header(args[0])
	return leaf{
		known: atEOH, final: atEOH, needs: handlers.Of(handlers.KindHeader), gathers: gatherHeaders,
		get: func(m moment) string {
			if list := m.f.values(i); len(list) > 0 {
				return list[0]
			}
			return ""
		},
	}, ""
}

func headersLeaf(c *compiler, args []string) (leaf, string) {
	i := c.unit.header(args[0])
	return leaf{
		known: atEOH, final: atEOH, needs: handlers.Of(handlers.KindHeader), gathers: gatherHeaders,
		get: func(m moment) []string { return m.f.values(i) },
	}, ""
}

func senderParamLeaf(_ *compiler, args []string) (leaf, string) {
	return leaf{
		known: atMail, final: atMail, gathers: gatherParams,
		get: func(m moment) string { return param(m.f.params, args[0]) },
	}, ""
}

func rcptParamLeaf(_ *compiler, args []string) (leaf, string) {
	return leaf{
		known: atRcpt, final: atRcpt, each: true, needs: handlers.Of(atRcpt), gathers: gatherRcptParams,
		get: func(m moment) string { return param(m.f.rcptParams, args[0]) },
	}, ""
}

func inNetworkLeaf(c *compiler, args []string) (leaf, string) {
	n, err := c.names.Network(args[0])
	if err != nil {
		return leaf{}, err.Error()
	}
	return leaf{
		known: atConnect, final: atConnect, steady: true, needs: handlers.Of(atConnect),
		get: func(m moment) bool {
			_, addr := m.s.Client()
			return n.HasAddr(addr.IP)
		},
	}, ""
}

// maxTold is how many names an error lists.
const maxTold = 8

// unknown says that there is nothing of a name, and what there is.
func unknown(what, name string, names []string) string {
	return "no " + what + " is called " + strconv.Quote(name) + ": " + among(name, names)
}

// among says which of some names may have been meant by another, or which there are.
func among(name string, names []string) string {
	if hint := nearest(name, names); hint != "" {
		return hint
	}
	switch n := len(names); {
	case n > maxTold:
		return "there are " + strings.Join(names[:maxTold], ", ") + " and others"
	case n > 0:
		return "there are " + strings.Join(names, ", ")
	}
	return "none is configured"
}

// macroStages are the events that MTAs send macros with.
var macroStages = []struct {
	at    handlers.Kind
	stage protocol.Stage
	usual string // macros that come with it
}{
	{atConnect, protocol.StageConnect, "j _ v daemon_name daemon_addr daemon_port if_name if_addr " +
		"client_addr client_name client_port client_ptr client_resolve client_connections"},
	{atHelo, protocol.StageHelo, "tls_version cipher cipher_bits cert_subject cert_issuer verify"},
	{atMail, protocol.StageMail, "auth_type auth_authen auth_author auth_ssf mail_mailer mail_host mail_addr"},
	{atRcpt, protocol.StageRcpt, "rcpt_mailer rcpt_host rcpt_addr"},
	{atData, protocol.StageData, "i"},
	{atEOH, protocol.StageEndOfHeader, ""},
	{atEOM, protocol.StageEndOfMessage, "msg_id"},
}

func macroFunction(_ *compiler, args []string) (leaf, string) {
	name := strings.TrimSuffix(strings.TrimPrefix(args[0], "{"), "}")
	if name == "" || strings.ContainsAny(name, " {}") {
		return leaf{}, strconv.Quote(args[0]) + " is no name of a macro"
	}
	var known, at []string
	for _, s := range macroStages {
		usual := strings.Fields(s.usual)
		known, at = append(known, usual...), append(at, s.at.String())
		for _, u := range usual {
			if u == name && len(args) == 1 {
				return macroLeaf("", name, s.at), ""
			}
		}
		if len(args) == 2 && s.at.String() == args[1] {
			return macroLeaf("", name, s.at), ""
		}
	}
	if len(args) == 2 {
		return leaf{}, unknown("stage of macros", args[1], at)
	}
	hint := "at which stage is macro " + strconv.Quote(name) + " sent? Say so, as in macro(" + strconv.Quote(name) + `, "helo")`
	if near := nearest(name, known); near != "" {
		hint += "; or " + near
	}
	return leaf{}, hint
}

// resultLeaf returns what result tells of a handler.
func resultLeaf(c *compiler, name, field string) (leaf, string) {
	at, ok := c.names.Results[name]
	if !ok && !c.names.Open {
		return leaf{}, unknown("earlier handler", name, keys(c.names.Results))
	}
	l := leaf{known: min(max(at, atConnect), atEOM), final: never, result: name}
	switch key := shelfKey(name); field {
	case "verdict":
		l.get = func(m moment) string { return verdictOf(m.s, key).Word }
	case "failed":
		l.get = func(m moment) bool { return verdictOf(m.s, key).Failed }
	default:
		return l, "a result has verdict and failed: result(" + strconv.Quote(name) + ").verdict"
	}
	return l, ""
}
