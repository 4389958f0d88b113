package access

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"millstream/handlers"
	"millstream/handlers/lists"
)

// Settings are the rules of the filter. There are no others by default.
type Settings struct {
	Rules []Rule `toml:"rule" doc:"Rules, in the order in which they are asked. The first that fits decides."`
}

// A Rule says what becomes of those that are in its lists.
type Rule struct {
	LookUp   string   `toml:"look_up" required:"true" enum:"client,client_name,helo,sender,sender_domain,recipient,recipient_domain" doc:"What is looked up in the lists."`
	Lists    []string `toml:"lists,omitempty" doc:"Names of lists."`
	Files    []string `toml:"files,omitempty" doc:"Files with an entry a line."`
	Entries  []string `toml:"entries,omitempty" doc:"Entries as in the lines of a file."`
	Kind     string   `toml:"kind,omitempty" enum:"networks,names,domains,addresses" doc:"What the entries of files and entries are. Without it what suits look_up."`
	Values   string   `toml:"values,omitempty" enum:"obey,ignore" doc:"Whether the text behind an entry says what becomes of it, before action. Without it obey."`
	Action   string   `toml:"action" required:"true" enum:"accept,reject,tempfail,discard,quarantine,continue" doc:"What becomes of it; continue asks no further rules."`
	Code     int      `toml:"code,omitempty" min:"400" max:"599" doc:"SMTP code with reject and tempfail. Without it 554 and 451."`
	Enhanced string   `toml:"enhanced,omitempty" doc:"Enhanced code with reject and tempfail. Without it 5.7.1 and 4.7.1."`
	Text     string   `toml:"text,omitempty" doc:"What the SMTP client is told with reject and tempfail, in one line or more; or why a message is held."`
}

// Defaults returns settings without rules.
func Defaults() *Settings { return &Settings{} }

// A subject is something that can be looked up.
type subject struct {
	word  string
	stage handlers.Kind // when it is known
	kinds []lists.Kind  // that can have it; the first is meant if nothing is said
}

// The words of Rule.LookUp.
const (
	client          = "client"
	clientName      = "client_name"
	helo            = "helo"
	sender          = "sender"
	senderDomain    = "sender_domain"
	recipient       = "recipient"
	recipientDomain = "recipient_domain"
)

var subjects = []subject{
	{client, handlers.KindConnect, []lists.Kind{lists.Networks}},
	{clientName, handlers.KindConnect, []lists.Kind{lists.Domains, lists.Names}},
	{helo, handlers.KindHelo, []lists.Kind{lists.Domains, lists.Names}},
	{sender, handlers.KindEnvelopeFrom, []lists.Kind{lists.Addresses, lists.Names}},
	{senderDomain, handlers.KindEnvelopeFrom, []lists.Kind{lists.Domains, lists.Names}},
	{recipient, handlers.KindEnvelopeRecipient, []lists.Kind{lists.Addresses, lists.Names}},
	{recipientDomain, handlers.KindEnvelopeRecipient, []lists.Kind{lists.Domains, lists.Names}},
}

// subjectOf returns the subject of a word.
func subjectOf(word string) (subject, error) {
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.word == word })
	if i < 0 {
		return subject{}, fmt.Errorf("%q cannot be looked up", word)
	}
	return subjects[i], nil
}

// kindOf returns the kind of the files and entries of a rule.
func (r *Rule) kindOf(s subject) (lists.Kind, error) {
	if r.Kind == "" {
		return s.kinds[0], nil
	}
	kind, err := lists.ParseKind(r.Kind)
	if err == nil {
		err = s.suits(kind)
	}
	return kind, err
}

// suits returns why a list of some kind cannot have s; nil if it can.
func (s subject) suits(kind lists.Kind) error {
	if slices.Contains(s.kinds, kind) {
		return nil
	}
	words := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		words[i] = k.String()
	}
	return fmt.Errorf("%s is not looked up in a list of %v: take one of %s", s.word, kind, strings.Join(words, " or "))
}

// Check tells wrong what cannot be: the key, such as "rule[0].files[1]", and what is
// wrong and how to mend it. It does not look into files.
func (s *Settings) Check(wrong func(key, text string)) {
	if len(s.Rules) == 0 {
		wrong("rule", "there is no rule: write [[handler.rule]] with look_up, action and entries, files or lists")
	}
	var stage handlers.Kind
	for i := range s.Rules {
		stage = s.Rules[i].check(stage, func(key, text string) { wrong(fmt.Sprintf("rule[%d].%s", i, key), text) })
	}
}

// CheckLists tells wrong, as Check does, of lists that set does not have, and of those that
// cannot have what is looked up in them. It does not look into files.
func (s *Settings) CheckLists(set *lists.Set, wrong func(key, text string)) {
	for i := range s.Rules {
		r := &s.Rules[i]
		subject, err := subjectOf(r.LookUp)
		if err != nil {
			continue // Check says it
		}
		for j, name := range r.Lists {
			if _, err := subject.in(set, name); err != nil {
				wrong(fmt.Sprintf("rule[%d].lists[%d]", i, j), err.Error())
			}
		}
	}
}

// in returns the list of a name, in which s can be looked up.
func (s subject) in(set *lists.Set, name string) (*lists.List, error) {
	l := set.List(name)
	switch names := set.Names(); {
	case l == nil && len(names) == 0:
		return nil, fmt.Errorf("there is no list %q: none has a name", name)
	case l == nil:
		return nil, fmt.Errorf("there is no list %q: known are %s", name, strings.Join(names, ", "))
	}
	return l, s.suits(l.Kind())
}

// check checks a rule, and returns the stage at which it can be asked. before is that of
// the rules before it.
func (r *Rule) check(before handlers.Kind, wrong func(key, text string)) handlers.Kind {
	if len(r.Lists)+len(r.Files)+len(r.Entries) == 0 {
		wrong("entries", "there is nothing to look in: write entries, files or lists")
	}
	for i, path := range r.Files {
		if !filepath.IsAbs(path) {
			wrong(fmt.Sprintf("files[%d]", i), fmt.Sprintf("%q has no place: write the path from / on", path))
		}
	}
	s, err := subjectOf(r.LookUp)
	if err != nil {
		return before // the tag says it
	}
	stage := max(before, s.stage)
	kind, err := r.kindOf(s)
	if err != nil {
		wrong("kind", err.Error())
	}
	m, err := newMeaning(r, stage)
	if err != nil {
		wrong(m.key, err.Error())
	}
	for i, entry := range r.Entries {
		if kind == 0 || m.own == nil {
			break // told already
		}
		_, value, err := lists.ParseEntry(kind, entry)
		if err == nil {
			_, err = m.verdict(value)
		}
		if err != nil {
			wrong(fmt.Sprintf("entries[%d]", i), err.Error())
		}
	}
	return stage
}

// New returns the filter. Its lists are added to set, which is to be opened before the
// filter is used: until then all that it is asked about fails. The error has what Check
// tells, and lists that set does not have.
func New(s *Settings, set *lists.Set) (handlers.Handler, error) {
	var mistakes []error
	s.Check(func(key, text string) { mistakes = append(mistakes, fmt.Errorf("%s: %s", key, text)) })
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	f := &filter{}
	var stage handlers.Kind
	for i := range s.Rules {
		r, err := newRule(&s.Rules[i], stage, set, fmt.Sprintf("rule[%d]", i))
		if err != nil {
			return nil, err
		}
		f.rules = append(f.rules, r)
		stage = r.stage
	}
	return f.handler(), nil
}

// newRule makes the rule of r, which is called name in messages.
func newRule(r *Rule, before handlers.Kind, set *lists.Set, name string) (rule, error) {
	s, err := subjectOf(r.LookUp)
	if err != nil {
		return rule{}, fmt.Errorf("%s.look_up: %w", name, err)
	}
	made := rule{subject: s, stage: max(before, s.stage)}
	kind, err := r.kindOf(s)
	if err != nil {
		return rule{}, fmt.Errorf("%s.kind: %w", name, err)
	}
	m, err := newMeaning(r, made.stage)
	if err != nil {
		return rule{}, fmt.Errorf("%s.%s: %w", name, m.key, err)
	}
	for i, called := range r.Lists {
		l, err := s.in(set, called)
		if err != nil {
			return rule{}, fmt.Errorf("%s.lists[%d]: %w", name, i, err)
		}
		made.views = append(made.views, lists.As(l, m.verdict))
	}
	specs := make([]lists.Spec, 0, len(r.Files)+1)
	for _, path := range r.Files {
		specs = append(specs, lists.Spec{Kind: kind, Path: path})
	}
	if len(r.Entries) > 0 {
		specs = append(specs, lists.Spec{Place: name + ".entries", Kind: kind, Entries: r.Entries})
	}
	for _, spec := range specs {
		l, err := set.Add(spec)
		if err != nil {
			return rule{}, fmt.Errorf("%s: %w", name, err)
		}
		made.views = append(made.views, lists.As(l, m.verdict))
	}
	return made, nil
}
