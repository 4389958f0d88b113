package access

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"millstream/handlers"
	"millstream/protocol"
)

// An action is what a rule does.
type action uint8

const (
	dunno action = iota + 1 // as if the entry were not there
	proceed
	accept
	reject
	tempFail
	discard
	quarantine
)

// words are what the values of entries begin with: the words of Rule.Action, and those
// that access tables of Postfix have.
var words = []struct {
	word   string
	action action
}{
	{"accept", accept},
	{"reject", reject},
	{"tempfail", tempFail},
	{"discard", discard},
	{"quarantine", quarantine},
	{"continue", proceed},
	{"dunno", dunno},
	{"ok", proceed},
	{"defer", tempFail},
	{"hold", quarantine},
}

// actionOf returns the action of a word, in whatever letter case; 0 if it is none.
func actionOf(word string) action {
	for _, w := range words {
		if strings.EqualFold(w.word, word) {
			return w.action
		}
	}
	return 0
}

// A verdict is what becomes of what fits an entry. It does not change.
type verdict struct {
	action action
	reply  handlers.Reply // of reject and tempFail
	reason string         // of quarantine
}

// A meaning is what the values of entries mean in one rule.
type meaning struct {
	rule  *Rule
	stage handlers.Kind
	own   *verdict // of entries without a value; nil if there is a mistake in the rule
	key   string   // that of the setting with the mistake
}

// newMeaning returns the meaning of values in r, which is asked at some stage.
func newMeaning(r *Rule, stage handlers.Kind) (m *meaning, err error) {
	m = &meaning{rule: r, stage: stage, key: "action"}
	a := actionOf(r.Action)
	said := a == reject || a == tempFail
	switch {
	case a == 0 || a == dunno:
		return m, fmt.Errorf("%q is no action: write accept, reject, tempfail, discard, quarantine or continue", r.Action)
	case !said && r.Code != 0:
		m.key = "code"
		return m, fmt.Errorf("no code is sent with %s: leave it out", r.Action)
	case !said && r.Enhanced != "":
		m.key = "enhanced"
		return m, fmt.Errorf("no code is sent with %s: leave it out", r.Action)
	case !said && a != quarantine && r.Text != "":
		m.key = "text"
		return m, fmt.Errorf("nothing is said with %s: leave it out", r.Action)
	}
	if err := m.allowed(a); err != nil {
		return m, err
	}
	own, err := m.saying(a, "")
	if err != nil {
		m.key = "text"
		if errors.Is(err, protocol.ErrInvalidCode) {
			m.key = "code"
		}
		return m, err
	}
	m.own = own
	return m, nil
}

// allowed returns why an action cannot be taken; nil if it can.
func (m *meaning) allowed(a action) error {
	if m.stage == handlers.KindEnvelopeRecipient && (a == accept || a == quarantine) {
		return errors.New("a rule about recipients, or behind one, decides for one recipient alone: " +
			"a message is accepted or held as a whole; write continue, or move the rule up")
	}
	return nil
}

// verdict returns what the value of an entry means.
func (m *meaning) verdict(value string) (*verdict, error) {
	if value == "" || m.rule.Values == "ignore" {
		return m.own, nil
	}
	word, rest := cutWord(value)
	a := actionOf(word)
	if code := codeOf(word); code != 0 {
		a, rest = reject, value
		if code < 500 {
			a = tempFail
		}
	}
	if a == 0 {
		return nil, fmt.Errorf("%q is nothing that can be done: write OK, DUNNO, REJECT text, DEFER text, 450 text, 550 text, "+
			"DISCARD, HOLD reason or ACCEPT, or set values = \"ignore\"", word)
	}
	if err := m.allowed(a); err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	return m.saying(a, rest)
}

// saying returns the verdict of an action with the text of an entry; without text it is
// that of the rule.
func (m *meaning) saying(a action, text string) (*verdict, error) {
	v := &verdict{action: a}
	switch a {
	case reject:
		return m.refusing(v, handlers.Reject, 554, "5.7.1", text)
	case tempFail:
		return m.refusing(v, handlers.TempFail, 451, "4.7.1", text)
	case quarantine:
		v.reason = text
		if text == "" && actionOf(m.rule.Action) == a {
			v.reason = m.rule.Text
		}
		if v.reason == "" {
			v.reason = "access rule about " + m.rule.LookUp
		}
		if strings.ContainsFunc(v.reason, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("%q has a line break or control character in it: write one line", v.reason)
		}
	default:
		if text != "" {
			return nil, fmt.Errorf("nothing is said with it: leave out %q", text)
		}
	}
	return v, nil
}

// refusing returns v with the reply of an entry: a code, an enhanced code and text, each
// of which may be left out.
func (m *meaning) refusing(v *verdict, status handlers.Reply, code int, enhanced, text string) (*verdict, error) {
	said := "access denied"
	if v.action == tempFail {
		said = "try again later"
	}
	if actionOf(m.rule.Action) == v.action {
		code, enhanced, said = or(m.rule.Code, code), or(m.rule.Enhanced, enhanced), or(m.rule.Text, said)
	}
	if word, rest := cutWord(text); codeOf(word) != 0 {
		code, text = codeOf(word), rest
	}
	if word, rest := cutWord(text); isEnhanced(word) {
		enhanced, text = word, rest
	}
	v.reply = status.With(code, enhanced, or(strings.ReplaceAll(text, `\n`, "\n"), said))
	if err := v.reply.Err(); err != nil {
		class := 5
		if v.action == tempFail {
			class = 4
		}
		return nil, fmt.Errorf("%w: to refuse so, write a code %dxx, an enhanced code %d.x.x, and up to 32 lines of text", err, class, class)
	}
	return v, nil
}

// cutWord returns the first word of a text, and what comes behind it.
func cutWord(text string) (word, rest string) {
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimSpace(text[end:])
}

// codeOf returns the SMTP code that a word is; 0 if it is none that refuses.
func codeOf(word string) int {
	code, err := strconv.Atoi(word)
	if err != nil || len(word) != 3 || code < 400 || code > 599 {
		return 0
	}
	return code
}

// isEnhanced reports whether a word is an enhanced status code such as 5.7.1.
func isEnhanced(word string) bool {
	return strings.Count(word, ".") == 2 && strings.Trim(word, "0123456789.") == "" && len(word) >= 5
}

// or returns the first of two values that is not zero.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
