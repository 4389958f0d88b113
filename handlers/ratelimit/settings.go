package ratelimit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"millstream/handlers"
)

// Settings are the limits of the filter. There are no others by default.
type Settings struct {
	Limits            []Limit  `toml:"limit" doc:"Limits, in the order in which they are asked. The first that is reached decides."`
	TrustedNetworks   []string `toml:"trusted_networks,omitempty" doc:"Clients in these networks have no limit: names of networks, or 192.0.2.0/24."`
	SkipAuthenticated bool     `toml:"skip_authenticated,omitempty" doc:"Clients that have logged in have no limit."`
}

// A Limit says how much may come in some time.
type Limit struct {
	Name       string        `toml:"name" required:"true" doc:"What it is called in the log, in measurements and in the store. Filters that share a store share limits of the same name."`
	Key        []string      `toml:"key" required:"true" doc:"Of whom is counted: auth_user, client_addr, client_network, sender, sender_domain, rcpt, rcpt_domain, or texts with {{ }}."`
	What       string        `toml:"what" required:"true" enum:"messages,recipients,bytes" doc:"What is counted."`
	Limit      int           `toml:"limit" required:"true" min:"1" doc:"How many there may be in a window."`
	Window     time.Duration `toml:"window" required:"true" doc:"The time over which is counted."`
	WindowType string        `toml:"window_type,omitempty" enum:"sliding,fixed" doc:"Whether the window is the time up to now, or begins anew at each full hour, day and so on. Without it sliding."`
	Count      string        `toml:"count,omitempty" enum:"tried,accepted" doc:"Whether what is refused after it was counted stays counted. Without it tried: it does."`
	When       string        `toml:"when,omitempty" doc:"An expression: where it does not hold, nothing is counted."`
	Action     string        `toml:"action,omitempty" enum:"tempfail,reject,discard,quarantine,continue" doc:"What is done over the limit; continue only tells. Without it tempfail."`
	Code       int           `toml:"code,omitempty" min:"400" max:"599" doc:"SMTP code with tempfail and reject. Without it 450 and 550."`
	Enhanced   string        `toml:"enhanced,omitempty" doc:"Enhanced code with tempfail and reject. Without it 4.7.1 and 5.7.1."`
	Text       string        `toml:"text,omitempty" doc:"What the client is told, or why a message is held, in one line. {{limit}}, {{window}}, {{until}}, {{wait}} and expressions are replaced."`
	IPv4Prefix int           `toml:"ipv4_prefix,omitempty" min:"1" max:"32" doc:"Bits of a client_network of IPv4. Without it 24."`
	IPv6Prefix int           `toml:"ipv6_prefix,omitempty" min:"1" max:"128" doc:"Bits of a client_network of IPv6. Without it 64."`
}

// The words of settings.
const (
	messages   = "messages"
	recipients = "recipients"
	bytesSent  = "bytes"

	sliding = "sliding"
	fixed   = "fixed"

	tried    = "tried"
	accepted = "accepted"

	tempFail   = "tempfail"
	reject     = "reject"
	discard    = "discard"
	quarantine = "quarantine"
	proceed    = "continue"
)

// Defaults returns settings without limits.
func Defaults() *Settings { return &Settings{} }

// The longest name of a limit, and the shortest and longest window.
const (
	maxName   = 64
	minWindow = time.Second
	maxWindow = 366 * 24 * time.Hour
)

// Check tells wrong what cannot be: the key, such as "limit[0].window", and what is wrong
// and how to mend it. Expressions, texts and networks are left to Mistakes, which is told
// their names.
func (s *Settings) Check(wrong func(key, text string)) {
	if len(s.Limits) == 0 {
		wrong("limit", "there is no limit: write [[handler.limit]] with name, key, what, limit and window")
	}
	names := make(map[string]int)
	for i := range s.Limits {
		l := &s.Limits[i]
		tell := func(key, text string) { wrong(fmt.Sprintf("limit[%d].%s", i, key), text) }
		if first, taken := names[l.Name]; taken {
			tell("name", fmt.Sprintf("limit[%d] is called %q too: they would count together; give it another name", first, l.Name))
		} else {
			names[l.Name] = i
		}
		l.check(tell)
	}
}

func (l *Limit) check(wrong func(key, text string)) {
	if !isName(l.Name) {
		wrong("name", fmt.Sprintf("%q is no name: write up to %d letters, digits, dots, - and _", l.Name, maxName))
	}
	if len(l.Key) == 0 {
		wrong("key", `nobody is counted: write key = ["auth_user"] or the like`)
	}
	for i, part := range l.Key {
		if _, known := words[part]; !known && !strings.Contains(part, "{{") {
			wrong(fmt.Sprintf("key[%d]", i), fmt.Sprintf("%q is not known: write %s, or a text with expressions such as %q",
				part, strings.Join(knownWords(), ", "), "{{"+strings.Trim(part, "{}")+"}}"))
		}
	}
	if l.Limit < 1 {
		wrong("limit", fmt.Sprintf("%d is no limit: write 1 or more; to refuse all, take another filter", l.Limit))
	}
	if l.Window < minWindow || l.Window > maxWindow {
		wrong("window", fmt.Sprintf("%v is no window: write a time from %v to a year, such as \"1h\"", l.Window, minWindow))
	}
	for _, choice := range []struct{ key, word, among string }{
		{"what", l.What, "messages,recipients,bytes"},
		{"window_type", cmp.Or(l.WindowType, sliding), "sliding,fixed"},
		{"count", cmp.Or(l.Count, tried), "tried,accepted"},
		{"action", l.action(), "tempfail,reject,discard,quarantine,continue"},
	} {
		if list := strings.Split(choice.among, ","); !slices.Contains(list, choice.word) {
			wrong(choice.key, fmt.Sprintf("%q means nothing here: write one of %s", choice.word, strings.Join(list, ", ")))
		}
	}
	l.checkNetwork(wrong)
	l.checkAnswer(wrong)
}

// checkNetwork checks the lengths of networks.
func (l *Limit) checkNetwork(wrong func(key, text string)) {
	for key, n := range map[string]struct{ bits, most int }{"ipv4_prefix": {l.IPv4Prefix, 32}, "ipv6_prefix": {l.IPv6Prefix, 128}} {
		switch {
		case n.bits < 0 || n.bits > n.most:
			wrong(key, fmt.Sprintf("%d is no length of a network: write 1 to %d", n.bits, n.most))
		case n.bits != 0 && !slices.Contains(l.Key, clientNetwork):
			wrong(key, "there is no client_network in key: leave it out")
		}
	}
}

// checkAnswer checks what is said over the limit.
func (l *Limit) checkAnswer(wrong func(key, text string)) {
	action := l.action()
	said := action == tempFail || action == reject
	switch {
	case !said && l.Code != 0:
		wrong("code", fmt.Sprintf("no code is sent with %s: leave it out", action))
	case !said && l.Enhanced != "":
		wrong("enhanced", fmt.Sprintf("no code is sent with %s: leave it out", action))
	case !said && action != quarantine && l.Text != "":
		wrong("text", fmt.Sprintf("nothing is said with %s: leave it out", action))
	}
	if strings.ContainsFunc(l.Text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		wrong("text", "there is a line break or control character in it: write one line")
	}
	if !said {
		return
	}
	if err := l.refusal("x").Err(); err != nil {
		class := 5
		if action == tempFail {
			class = 4
		}
		wrong("code", fmt.Sprintf("%v: with %s write a code %dxx and an enhanced code %d.x.x", err, action, class, class))
	}
}

// action returns the word for what is done over the limit.
func (l *Limit) action() string { return cmp.Or(l.Action, tempFail) }

// refusal returns the reply of tempfail or reject with a text.
func (l *Limit) refusal(text string) handlers.Reply {
	if l.action() == reject {
		return handlers.Reject.With(cmp.Or(l.Code, 550), cmp.Or(l.Enhanced, "5.7.1"), text)
	}
	return handlers.TempFail.With(cmp.Or(l.Code, 450), cmp.Or(l.Enhanced, "4.7.1"), text)
}

// isName reports whether a text can be the name of a limit.
func isName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(".-_", r)
	})
}
