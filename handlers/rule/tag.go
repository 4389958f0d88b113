package rule

import (
	"errors"
	"log/slog"
	"strings"

	"millstream/handlers"
	"millstream/handlers/when"
)

// SubjectSettings are those of a filter that tags the Subject, the type "subject" of a
// configuration.
type SubjectSettings struct {
	Tag      string `toml:"tag" required:"true" doc:"What to put in front of the Subject; expressions stand between {{ and }}."`
	If       string `toml:"if,omitempty" doc:"An expression, asked at the end of the message. Without it every message is tagged."`
	Required bool   `toml:"required,omitempty" doc:"Whether a message is refused if its Subject cannot be changed."`
}

// SubjectDefaults returns settings without a tag.
func SubjectDefaults() *SubjectSettings { return &SubjectSettings{} }

// Check is that of [Settings], with keys such as "if".
func (s *SubjectSettings) Check(wrong func(key, text string)) {
	s.Mistakes(&when.Names{Open: true}).Tell(wrong)
}

// Mistakes is that of [Settings].
func (s *SubjectSettings) Mistakes(names *when.Names) when.Mistakes {
	return s.build(names).mistakes
}

// Needs is that of [Settings].
func (s *SubjectSettings) Needs(names *when.Names) (when.Needs, error) {
	b := s.build(names)
	return b.group.Needs(), b.mistakes.Err()
}

// NewSubject returns the filter: [New] with one rule, which has nothing but the tag.
func NewSubject(s *SubjectSettings, names *when.Names, log *slog.Logger) (handlers.Handler, error) {
	b := s.build(names)
	if err := b.mistakes.Err(); err != nil {
		return nil, err
	}
	return newFilter(b, log), nil
}

// build makes the rule of s.
func (s *SubjectSettings) build(names *when.Names) *builder {
	const name = "subject"
	b := build([]Rule{{When: s.If, Subject: s.Tag, Required: s.Required}}, names, func(int) string { return name })
	for _, e := range b.mistakes {
		switch e.Key = strings.TrimPrefix(e.Key, name+"."); e.Key {
		case "subject":
			e.Key = "tag"
		case "when":
			e.Key = "if"
		}
	}
	if s.Tag == "" {
		b.fail("tag", errors.New("there is no tag: write tag = \"[external]\", or another text"))
	}
	return b
}
