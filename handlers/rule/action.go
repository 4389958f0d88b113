package rule

import (
	"errors"
	"fmt"
	"strings"

	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// A verdict is what becomes of a client, a message or a recipient.
type verdict uint8

const (
	goOn verdict = iota
	accept
	reject
	tempFail
	discard
)

var verdicts = map[string]verdict{"": goOn, "accept": accept, "reject": reject, "tempfail": tempFail, "discard": discard}

func (v verdict) none() bool { return v == goOn }

func (v verdict) refuses() bool { return v == reject || v == tempFail }

// maxReplyText is how many bytes a line of a reply with values in it may have.
const maxReplyText = 400

// An action is a verdict, and what is said with it.
type action struct {
	verdict
	code     int
	enhanced string
	lines    []*when.Text   // of a text with expressions
	fixed    handlers.Reply // of one without
}

// action makes the action of a rule.
func (b *builder) action(from *Rule, name string) (a action) {
	a.verdict = verdicts[from.Action]
	refuses := a.refuses()
	says := []struct {
		key string
		set bool
	}{{"code", from.Code != 0}, {"enhanced", from.Enhanced != ""}, {"text", from.Text != ""}}
	for _, said := range says {
		if said.set && !refuses {
			b.fail(name+"."+said.key, errors.New("it is sent with reject and tempfail alone: leave it out, or write one of these as action"))
		}
	}
	switch {
	case a.none() && from.Action != "":
		b.fail(name+".action", fmt.Errorf("%q is no action: write accept, reject, tempfail or discard, or leave it out", from.Action))
		return a
	case !a.none() && from.Continue:
		b.fail(name+".continue", errors.New("an action ends the rules: leave out continue, or make two rules of it"))
	}
	if !refuses {
		return a
	}
	b.reply(&a, from, name)
	return a
}

// reply makes what is said by an action that refuses.
func (b *builder) reply(a *action, from *Rule, name string) {
	a.code, a.enhanced = 554, "5.7.1"
	text, status, class := "refused by a rule", handlers.Reject, 5
	if a.verdict == tempFail {
		a.code, a.enhanced = 451, "4.7.1"
		text, status, class = "try again later", handlers.TempFail, 4
	}
	if from.Code != 0 {
		a.code = from.Code
	}
	if from.Enhanced != "" {
		a.enhanced = from.Enhanced
	}
	if from.Text != "" {
		text = strings.TrimSuffix(strings.ReplaceAll(from.Text, "\r\n", "\n"), "\n")
	}
	words := text
	if strings.Contains(text, "{{") {
		words = strings.Repeat("\n", strings.Count(text, "\n"))
		for i, line := range strings.Split(text, "\n") {
			t, err := b.group.Template(line)
			if err != nil {
				b.fail(name+".text", lower(err, i))
				continue
			}
			a.lines = append(a.lines, t)
		}
	}
	a.fixed = status.With(a.code, a.enhanced, words)
	if err := a.fixed.Err(); err != nil {
		key := "text"
		if errors.Is(err, protocol.ErrInvalidCode) {
			key = "code"
		}
		b.fail(name+"."+key, fmt.Errorf("%w: to refuse so, write a code %dxx, an enhanced code %d.x.x, and up to 32 lines of text", err, class, class))
	}
}

// lower returns the error of a text that stands some lines further down.
func lower(err error, lines int) error {
	e, ok := errors.AsType[*when.Error](err)
	if !ok {
		return err
	}
	there := *e
	there.Line += lines
	return &there
}

// reply returns the answer where an action is to be taken; r is nil where none is.
func (r *rule) reply(s *handlers.Session, err error) handlers.Reply {
	switch {
	case err != nil:
		return handlers.Failed(err)
	case r == nil:
		return handlers.Continue
	}
	return r.answer(s)
}

// answer returns the reply of an action.
func (a *action) answer(s *handlers.Session) handlers.Reply {
	status := handlers.Reject
	switch a.verdict {
	case accept:
		return handlers.Accept
	case discard:
		return handlers.Discard
	case tempFail:
		status = handlers.TempFail
	case goOn:
		return handlers.Continue
	}
	if a.lines == nil {
		return a.fixed
	}
	lines := make([]string, len(a.lines))
	for i, line := range a.lines {
		text, err := line.Reply(s)
		if err != nil {
			return handlers.Failed(err)
		}
		lines[i] = text[:min(len(text), maxReplyText)] // it is ASCII
	}
	return status.With(a.code, a.enhanced, lines...)
}
