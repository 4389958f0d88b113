package script

import (
	"slices"
	"strings"

	"millstream/protocol"
)

// everything stands for all events.
const everything = "everything"

// answered has the events that can be answered, observed the others.
var (
	answered = []string{
		protocol.CodeNegotiate.String(), protocol.CodeConnect.String(), protocol.CodeHelo.String(),
		protocol.CodeMailFrom.String(), protocol.CodeRcptTo.String(), protocol.CodeData.String(),
		protocol.CodeUnknown.String(), protocol.CodeHeader.String(), protocol.CodeEndOfHeader.String(),
		protocol.CodeBody.String(), protocol.CodeEndOfMessage.String(), protocol.CodeAbort.String(),
	}
	observed = []string{
		"connection-established", "define-macro", "response", "message-processed", "timeout", "error", "finished",
	}
)

// A Filter is a line that says what the milter does.
type Filter struct {
	Verb   string   // "answers", "observes" or "on"
	Events []string // one for "on"
	Match  string   // the address, name or host that "on" is for, or ""
	Do     Do       // of "on"
}

// String returns the line.
func (f *Filter) String() string {
	text := "filter " + f.Verb + " " + strings.Join(f.Events, " ")
	if f.Do == nil {
		return text
	}
	if f.Match != "" {
		text += " " + quoteKey(f.Match, ':')
	}
	return text + ": " + f.Do.String()
}

// Answers reports whether the filter answers an event.
func (s *Script) Answers(event string) bool { return s.takes(event, "answers", "on") }

// Observes reports whether the filter only watches an event.
func (s *Script) Observes(event string) bool { return s.takes(event, "observes") }

// Takes reports whether the filter takes an event.
func (s *Script) Takes(event string) bool { return s.Answers(event) || s.Observes(event) }

func (s *Script) takes(event string, verbs ...string) bool {
	for f := range s.filters() {
		all := f.Events[0] == everything && slices.Contains(answered, event)
		if slices.Contains(verbs, f.Verb) && (all || slices.Contains(f.Events, event)) {
			return true
		}
	}
	return false
}

func (s *Script) filters() func(func(*Filter) bool) {
	return func(yield func(*Filter) bool) {
		for _, l := range s.Lines {
			if f, ok := l.Step.(*Filter); ok && !yield(f) {
				return
			}
		}
	}
}

// On returns what the filter does at an event. match is the address, name or host
// of the event.
func (s *Script) On(event, match string) (list []Do) {
	for f := range s.filters() {
		if f.Verb == "on" && f.Events[0] == event && (f.Match == "" || f.Match == match) {
			list = append(list, f.Do)
		}
	}
	return list
}

// filter reads a line of the filter.
func (s *scanner) filter() (Step, error) {
	const want = "answers, observes or on"
	s.done()
	start := s.pos
	verb, err := s.word(want)
	if err != nil {
		return nil, err
	}
	f := &Filter{Verb: verb}
	switch verb {
	case "answers", "observes":
		f.Events, err = s.eventNames()
	case "on":
		if err = s.on(f); err == nil {
			err = s.end()
		}
	default:
		err = s.fail(start, want)
	}
	return f, err
}

// on reads an event and what is done at it.
func (s *scanner) on(f *Filter) (err error) {
	const want = "an event and a colon, such as helo:"
	if s.done() {
		return s.fail(s.pos, want)
	}
	start := s.pos
	event, err := s.upTo(':', want)
	if err != nil {
		return err
	}
	if !slices.Contains(answered, event) {
		return s.fail(start, "an event that is answered, such as helo")
	}
	f.Events = []string{event}
	if !s.done() && s.text[s.pos] == ':' {
		s.pos++
	} else if f.Match, err = s.key(':', "a colon, or an address, name or host and a colon"); err != nil {
		return err
	}
	f.Do, err = s.do()
	return err
}

// eventName reads the name of an event.
func (s *scanner) eventName() (string, error) {
	const want = "an event such as helo or message-processed"
	s.done()
	start := s.pos
	word, err := s.word(want)
	if err == nil && !slices.Contains(answered, word) && !slices.Contains(observed, word) {
		err = s.fail(start, want)
	}
	return word, err
}

// eventNames reads names of events, or everything.
func (s *scanner) eventNames() ([]string, error) {
	if !s.done() && s.text[s.pos:] == everything {
		s.pos = len(s.text)
		return []string{everything}, nil
	}
	name, err := s.eventName()
	names := []string{name}
	for err == nil && !s.done() {
		name, err = s.eventName()
		names = append(names, name)
	}
	return names, err
}
