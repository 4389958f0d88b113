package script

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"millstream/protocol"
)

// A Script is one conversation between an MTA and a milter.
type Script struct {
	Name  string // of its file
	Lines []Line
}

// A Line is one line of a script.
type Line struct {
	Number int
	Step   Step
}

// A Step is what a line says: [*Send], [*Receive], [Wait], [State], [Event],
// [Writes], [Filter], [Config], [Watch] or [Comment].
type Step interface {
	// String returns the line.
	String() string
}

// A Comment is a line that means nothing. It may be empty.
type Comment string

// String returns the line.
func (c Comment) String() string { return string(c) }

// Wait says that time passes.
type Wait time.Duration

// String returns the line.
func (w Wait) String() string { return "wait " + durationText(time.Duration(w)) }

// durationText returns a time without what is zero at its end.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// State is the state of the session.
type State protocol.State

// String returns the line.
func (s State) String() string { return "state " + protocol.State(s).String() }

// Event is what handlers are told: its name, and what matters of it.
type Event string

// String returns the line.
func (e Event) String() string { return "event " + string(e) }

// name returns the name of the event.
func (e Event) name() string {
	name, _, _ := strings.Cut(string(e), " ")
	return name
}

// Writes is how often the milter has written.
type Writes int

// String returns the line.
func (w Writes) String() string { return "writes " + strconv.Itoa(int(w)) }

// Watch names events that have lines.
type Watch []string

// String returns the line.
func (w Watch) String() string { return "watch " + strings.Join(w, " ") }

// Config is how the milter is set up: a name and a value.
type Config struct{ Key, Value string }

// String returns the line.
func (c Config) String() string { return "config " + quoteKey(c.Key, '=') + "=" + quoteWord(c.Value) }

// String returns the script as it would stand in a file.
func (s *Script) String() string {
	var b strings.Builder
	for _, l := range s.Lines {
		b.WriteString(l.Step.String() + "\n")
	}
	return b.String()
}

// Watches reports whether events of a name have lines.
func (s *Script) Watches(event string) bool {
	for _, l := range s.Lines {
		if w, ok := l.Step.(Watch); ok && (slices.Contains(w, event) || w[0] == everything) {
			return true
		}
	}
	return false
}

// Waits returns how much time is to pass in all.
func (s *Script) Waits() (d time.Duration) {
	for _, l := range s.Lines {
		if w, ok := l.Step.(Wait); ok {
			d += time.Duration(w)
		}
	}
	return d
}

// Config returns how the milter is to be set up.
func (s *Script) Config() (list []Config) {
	for _, l := range s.Lines {
		if c, ok := l.Step.(Config); ok {
			list = append(list, c)
		}
	}
	return list
}

// Blocks reports whether the filter does the same wherever it works: it answers
// all that it takes.
func (s *Script) Blocks() bool {
	for f := range s.filters() {
		if f.Verb == "observes" {
			return false
		}
	}
	return true
}
