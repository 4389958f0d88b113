package dnsbl

import (
	"cmp"
	"fmt"
	"slices"

	"millstream/handlers"
)

// Codes of refusals.
const (
	codeReject       = 554
	enhancedReject   = "5.7.1"
	codeTempFail     = 451
	enhancedTempFail = "4.7.1"
)

// The texts of actions that have none.
var defaultTexts = map[string]string{
	doReject:     "{{listed}} is listed by {{zones}}",
	doTempFail:   "{{listed}} is listed by {{zones}}",
	doQuarantine: "score {{score}}: {{listed}} is listed by {{zones}}",
	doHeader:     "score={{score}} zones={{zones}}",
}

// An action is what is done from a score on.
type action struct {
	score  int
	do     string
	text   text
	header string
}

// newActions returns the actions of settings that were checked, the highest score first.
func newActions(list []Action) (actions []action, err error) {
	for i, a := range list {
		t, err := compile(orElse(a.Text, defaultTexts[a.Do]))
		if err != nil {
			return nil, fmt.Errorf("actions[%d].text: %w", i, err)
		}
		actions = append(actions, action{a.Score, a.Do, t, a.Header})
	}
	slices.SortStableFunc(actions, func(a, b action) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(rank(a.do), rank(b.do)))
	})
	return actions, nil
}

// rank orders actions of the same score.
func rank(do string) int {
	return slices.Index([]string{doReject, doTempFail, doQuarantine, doHeader}, do)
}

// refuse returns the refusal that a verdict comes to. ok is false if it comes to none.
func (f *filter) refuse(v *verdict) (r handlers.Reply, ok bool) {
	for i := range f.actions {
		a := &f.actions[i]
		switch {
		case v.score < a.score:
		case a.do == doReject:
			return handlers.Reject.With(codeReject, enhancedReject, a.text.of(v)), true
		case a.do == doTempFail:
			return handlers.TempFail.With(codeTempFail, enhancedTempFail, a.text.of(v)), true
		}
	}
	return r, false
}

// mark does to a message that is not refused what a verdict comes to. The quarantine of
// the highest score gives the reason.
func (f *filter) mark(m *handlers.Message, v *verdict) {
	held := false
	for i := range f.actions {
		a := &f.actions[i]
		switch {
		case v.score < a.score:
		case a.do == doHeader:
			m.AddHeader(a.header, a.text.of(v))
		case a.do == doQuarantine && !held:
			held = true
			m.Quarantine(a.text.of(v))
		}
	}
}

// marks reports whether there is something to do at the end of a message.
func (f *filter) marks() bool {
	return slices.ContainsFunc(f.actions, func(a action) bool { return a.do == doHeader || a.do == doQuarantine })
}
