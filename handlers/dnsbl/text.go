package dnsbl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxFact is how many bytes of what others have said get into a text.
const maxFact = 200

// A fact is what may stand between {{ and }}.
type fact struct {
	name string
	tell func(v *verdict) string
}

// factHelo is a fact that the MTA must send.
const factHelo = "helo"

var facts = []fact{
	{"client_addr", func(v *verdict) string { return v.client }},
	{factHelo, func(v *verdict) string { return v.helo }},
	{"sender", func(v *verdict) string { return v.sender }},
	{"score", func(v *verdict) string { return strconv.Itoa(v.score) }},
	{"zones", func(v *verdict) string {
		return v.join(", ", func(f *finding) []string { return []string{f.list.name} })
	}},
	{"listed", func(v *verdict) string { return v.join(", ", func(f *finding) []string { return []string{f.subject} }) }},
	{"reason", func(v *verdict) string { return v.join("; ", func(f *finding) []string { return f.reasons }) }},
}

// A verdict is what a text tells of.
type verdict struct {
	client, helo, sender string
	score                int
	found                []*finding
}

// join joins what findings say that speak against it, each once.
func (v *verdict) join(separator string, says func(*finding) []string) string {
	var list []string
	for _, f := range v.found {
		if f.score < 0 {
			continue
		}
		for _, s := range says(f) {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return strings.Join(list, separator)
}

// A text is parts that are put together for a verdict.
type text []part

// A part is plain, or a fact.
type part struct {
	plain string
	fact  string
	tell  func(v *verdict) string
}

// compile reads a text.
func compile(s string) (t text, err error) {
	if !isPlain(s) || len(s) > maxText {
		return nil, fmt.Errorf("write one line of at most %d bytes of ASCII", maxText)
	}
	for {
		plain, rest, found := strings.Cut(s, "{{")
		if plain != "" {
			t = append(t, part{plain: plain})
		}
		if !found {
			return t, nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, fmt.Errorf("`{{` is not closed: write {{%s}}", facts[0].name)
		}
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(facts, func(f fact) bool { return f.name == name })
		if i < 0 {
			names := make([]string, len(facts))
			for i, f := range facts {
				names[i] = f.name
			}
			return nil, fmt.Errorf("there is no fact {{%s}}: known are %s", name, strings.Join(names, ", "))
		}
		t, s = append(t, part{fact: name, tell: facts[i].tell}), after
	}
}

// of returns the text for a verdict. It fits a line of an SMTP reply.
func (t text) of(v *verdict) string {
	var b strings.Builder
	for _, p := range t {
		if p.tell == nil {
			b.WriteString(p.plain)
			continue
		}
		b.WriteString(harmless(p.tell(v)))
	}
	return b.String()[:min(b.Len(), 2*maxText)]
}

// harmless returns what others have said in one line of ASCII that is not too long.
func harmless(s string) string {
	clean := []byte(s[:min(len(s), maxFact)])
	for i, c := range clean {
		switch {
		case c < ' ' || c == 0x7f:
			clean[i] = ' '
		case c >= 0x80:
			clean[i] = '?'
		}
	}
	return string(clean)
}
