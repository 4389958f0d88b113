package script

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"millstream/protocol"
)

// Load reads a script from a file.
func Load(path string) (*Script, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, string(text))
}

// Parse reads a script. The error is a [*SyntaxError].
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name}
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		sc := &scanner{file: name, line: i + 1, text: strings.TrimRight(line, " \t\r")}
		step, err := sc.step()
		if err != nil {
			return nil, err
		}
		if err := sc.follows(step, s.Lines); err != nil {
			return nil, err
		}
		s.Lines = append(s.Lines, Line{i + 1, step})
	}
	return s, nil
}

// verbs has the words that lines begin with.
var verbs = []struct {
	word  string
	parse func(*scanner) (Step, error)
}{
	{"->", func(s *scanner) (Step, error) { return s.send(false) }},
	{"+>", func(s *scanner) (Step, error) { return s.send(true) }},
	{"<-", (*scanner).receive},
	{"<~", (*scanner).begins},
	{"wait", (*scanner).wait},
	{"state", (*scanner).state},
	{"event", (*scanner).event},
	{"writes", (*scanner).writes},
	{"filter", (*scanner).filter},
	{"config", (*scanner).config},
	{"watch", (*scanner).watch},
}

// step reads a line.
func (s *scanner) step() (Step, error) {
	if s.done() || s.text[s.pos] == '#' {
		return Comment(s.text[s.pos:]), nil
	}
	const want = "->, +>, <-, <~, wait, state, event, writes, filter, config, watch or #"
	start := s.pos
	word, err := s.word(want)
	if err != nil {
		return nil, err
	}
	for _, v := range verbs {
		if v.word == word {
			return v.parse(s)
		}
	}
	return nil, s.fail(start, want)
}

// follows checks what a step needs before it.
func (s *scanner) follows(step Step, before []Line) error {
	switch l := step.(type) {
	case *Send:
		if l.Joined && !isPacket(before) {
			return s.fail(0, "a line with -> before the one with +>")
		}
	case Event:
		if sc := (&Script{Lines: before}); !sc.Watches(l.name()) {
			return s.fail(0, fmt.Sprintf("a line %q before this one", "watch "+l.name()))
		}
	}
	return nil
}

// isPacket reports whether the last line is one that another packet can join.
func isPacket(lines []Line) bool {
	for _, l := range slices.Backward(lines) {
		switch step := l.Step.(type) {
		case Comment:
		case *Send:
			return step.Leave == ""
		default:
			return false
		}
	}
	return false
}

func (s *scanner) wait() (Step, error) {
	d, err := s.duration()
	if err != nil {
		return nil, err
	}
	return Wait(d), s.end()
}

// duration reads a time.
func (s *scanner) duration() (time.Duration, error) {
	const want = "a time such as 3s or 100ms"
	s.done()
	start := s.pos
	word, err := s.word(want)
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 {
		return 0, s.fail(start, want)
	}
	return d, nil
}

func (s *scanner) state() (Step, error) {
	const want = "a state such as helo-replied"
	s.done()
	start := s.pos
	word, err := s.word(want)
	if err != nil {
		return nil, err
	}
	for state := range protocol.StateFinished + 1 {
		if state.String() == word {
			return State(state), s.end()
		}
	}
	return nil, s.fail(start, want)
}

func (s *scanner) event() (Step, error) {
	name, err := s.eventName()
	if err != nil {
		return nil, err
	}
	text := []string{name}
	for !s.done() {
		word, err := s.word("a word")
		if err != nil {
			return nil, err
		}
		text = append(text, quoteWord(word))
	}
	return Event(strings.Join(text, " ")), nil
}

func (s *scanner) writes() (Step, error) {
	n, err := s.index()
	if err != nil {
		return nil, err
	}
	return Writes(n), s.end()
}

func (s *scanner) config() (Step, error) {
	key, err := s.key('=', "a setting such as timeout=5s")
	if err != nil {
		return nil, err
	}
	value, err := s.value("the value of a setting")
	if err != nil {
		return nil, err
	}
	return Config{key, value}, s.end()
}

func (s *scanner) watch() (Step, error) {
	names, err := s.eventNames()
	return Watch(names), err
}
