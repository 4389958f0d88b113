package when

import (
	"math"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A leaf is a thing that an expression asks the session for: a variable, or a function
// of words that stand in the expression.
type leaf struct {
	key   string        // as in the expression: sender, header("Subject")
	known handlers.Kind // the first event at which it can be told
	final handlers.Kind // the event from which on it stays the same in a message

	each    bool // it is of the recipient under way
	steady  bool // it stays the same for the connection, and can be told at any time
	needs   handlers.Kinds
	gathers gathering
	macro   string   // the macro that it is, or follows from
	result  string   // the handler that it tells of
	words   []string // all that it can be, if it is one of a few
	most    int      // the largest number that it can be; 0 is any. None is below 0
	small   bool     // it has no capital letters

	get any // func(moment) of string, int, bool or []string
}

// A moment is an event at which an expression is worked out.
type moment struct {
	s    *handlers.Session
	f    *facts // nil outside a message; then no leaf that needs them is asked
	kind handlers.Kind
}

// never is the final kind of what may change with every event.
const never = handlers.KindFinished + 1

// value returns what l is at a moment.
func (l *leaf) value(m moment) any {
	switch get := l.get.(type) {
	case func(moment) string:
		return get(m)
	case func(moment) int:
		return get(m)
	case func(moment) bool:
		return get(m)
	case func(moment) []string:
		return get(m)
	}
	return nil
}

// zero returns the zero value of what l is: its type.
func (l *leaf) zero() any {
	switch l.get.(type) {
	case func(moment) string:
		return ""
	case func(moment) int:
		return 0
	case func(moment) bool:
		return false
	}
	return []string(nil)
}

const (
	atConnect = handlers.KindConnect
	atHelo    = handlers.KindHelo
	atMail    = handlers.KindEnvelopeFrom
	atRcpt    = handlers.KindEnvelopeRecipient
	atData    = handlers.KindData
	atEOH     = handlers.KindEndOfHeader
	atBody    = handlers.KindBody
	atEOM     = handlers.KindEndOfMessage
)

// stages are the words for stage.
var stages = []string{
	"connect", "helo", "envelope-from", "envelope-recipient", "data", "header", "end-of-header", "body",
	"end-of-message", "unknown",
}

// weekdays are the words for weekday, beginning with that of time.Sunday.
var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// variables returns the leaves that are one word. Times are told in a time zone.
func variables(where *time.Location) []leaf {
	return append(append(connectionVariables(), messageVariables()...),
		leaf{
			key: "stage", known: atConnect, final: never, words: stages,
			get: func(m moment) string { return m.kind.String() },
		},
		leaf{
			key: "hour", known: atConnect, final: atMail, most: 23,
			get: func(moment) int { return time.Now().In(where).Hour() },
		},
		leaf{
			key: "weekday", known: atConnect, final: atMail, words: weekdays,
			get: func(moment) string { return weekdays[time.Now().In(where).Weekday()] },
		},
		leaf{
			key: "now", known: atConnect, final: never,
			get: func(moment) string { return time.Now().UTC().Format(time.RFC3339) },
		},
		leaf{
			key: "begun", known: atMail, final: atMail,
			get: func(m moment) string { return m.s.Result().Start.UTC().Format(time.RFC3339Nano) },
		},
		leaf{
			key: "took", known: atMail, final: never,
			get: func(m moment) string { return time.Since(m.s.Result().Start).Round(time.Microsecond).String() },
		},
	)
}

// connectionVariables returns the variables of the SMTP client.
func connectionVariables() []leaf {
	connect := handlers.Of(atConnect)
	list := []leaf{
		{key: "client_addr", needs: connect, get: func(m moment) string { return clientAddr(m.s) }},
		{key: "client_name", needs: connect, get: func(m moment) string {
			host, _ := m.s.Client()
			return host
		}},
		{key: "client_port", needs: connect, most: math.MaxUint16, get: func(m moment) int {
			_, addr := m.s.Client()
			return int(addr.Port)
		}},
		{
			key: "client_family", needs: connect, words: []string{"inet", "inet6", "unix", "unknown"},
			get: func(m moment) string {
				_, addr := m.s.Client()
				return addr.Family.String()
			},
		},
		{key: "listener", get: func(m moment) string { return m.s.Listener() }},
		{key: "session", get: func(m moment) int { return int(m.s.ID()) }},
		{key: "helo", known: atHelo, needs: handlers.Of(atHelo), get: func(m moment) string { return m.s.Helo() }},
	}
	for i := range list {
		l := &list[i]
		l.steady, l.known = true, max(l.known, atConnect)
		l.final = l.known
	}
	return append(list,
		macroLeaf("tls_version", "tls_version", atHelo),
		flagLeaf("tls", "tls_version", atHelo),
		macroLeaf("auth_user", "auth_authen", atMail),
		flagLeaf("authenticated", "auth_authen", atMail),
		macroLeaf("queue_id", "i", atData),
	)
}

// clientAddr returns the address of the SMTP client as text; empty if it has none.
func clientAddr(s *handlers.Session) string {
	switch _, addr := s.Client(); addr.Family {
	case protocol.FamilyInet, protocol.FamilyInet6:
		return addr.IP.String()
	case protocol.FamilyUnix:
		return addr.Path
	}
	return ""
}

// macroLeaf returns the value of a macro that is sent with an event.
func macroLeaf(key, macro string, at handlers.Kind) leaf {
	l := leaf{
		key: key, known: at, final: at, macro: macro,
		get: func(m moment) string { return m.s.Macro(macro) },
	}
	if at == atRcpt {
		l.each, l.needs, l.gathers = true, handlers.Of(atRcpt), gatherCount
	}
	return l
}

// flagLeaf tells whether a macro has a value.
func flagLeaf(key, macro string, at handlers.Kind) leaf {
	l := macroLeaf(key, macro, at)
	l.get = func(m moment) bool { return m.s.Macro(macro) != "" }
	return l
}

// messageVariables returns the variables of the message under way.
func messageVariables() []leaf {
	rcpt := handlers.Of(atRcpt)
	return []leaf{
		{key: "sender", known: atMail, final: atMail, gathers: gatherSender, get: func(m moment) string { return m.f.sender }},
		{key: "sender_domain", small: true, known: atMail, final: atMail, gathers: gatherSender, get: func(m moment) string { return domain(m.f.sender) }},
		{key: "sender_params", known: atMail, final: atMail, gathers: gatherParams, get: func(m moment) []string { return m.f.params }},
		{key: "declared_size", known: atMail, final: atMail, gathers: gatherParams, get: func(m moment) int { return declared(m.f.params) }},

		{key: "rcpt", known: atRcpt, final: atRcpt, each: true, needs: rcpt, gathers: gatherRcpt, get: func(m moment) string { return m.f.rcpt }},
		{key: "rcpt_domain", small: true, known: atRcpt, final: atRcpt, each: true, needs: rcpt, gathers: gatherRcpt, get: func(m moment) string { return domain(m.f.rcpt) }},
		{key: "rcpt_params", known: atRcpt, final: atRcpt, each: true, needs: rcpt, gathers: gatherRcptParams, get: func(m moment) []string { return m.f.rcptParams }},
		{key: "rcpts", known: atRcpt, final: atData, needs: rcpt, gathers: gatherRcpts, get: func(m moment) []string { return m.f.rcpts }},
		{key: "rcpt_count", known: atRcpt, final: atData, needs: rcpt, gathers: gatherCount, get: func(m moment) int { return m.f.count }},

		{key: "header_count", known: atEOH, final: atEOH, needs: handlers.Of(handlers.KindHeader), gathers: gatherHeaders, get: func(m moment) int { return m.f.fields }},
		{key: "size_so_far", known: atBody, final: atEOM, needs: handlers.Of(atBody), gathers: gatherSize, get: func(m moment) int { return m.f.size }},
		{key: "size", known: atEOM, final: atEOM, needs: handlers.Of(atBody), gathers: gatherSize, get: func(m moment) int { return m.f.size }},
	}
}
