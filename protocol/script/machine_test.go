package script

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// leastPlayed is how many scripts must be played to the machine, so that the rule
// which leaves some out does not leave out all of them one day.
const leastPlayed = 150

// TestMachine plays the session scripts to package protocol alone: what answers an
// MTA, and when, is all in there. What is sent is cut in several ways.
func TestMachine(t *testing.T) {
	played := 0
	for _, file := range scripts(t) {
		s, err := Load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		needs := beyondMachine(s)
		if needs == "" {
			played++
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			if needs != "" {
				t.Skip(needs)
			}
			for _, cut := range []int{0, 1, 3} {
				playToMachine(t, s, cut)
			}
		})
	}
	if played < leastPlayed {
		t.Errorf("%d scripts were played, want at least %d", played, leastPlayed)
	}
}

// beyondMachine says what a script needs that a machine does not have; "" if the
// machine is enough.
func beyondMachine(s *Script) string {
	for _, l := range s.Lines {
		switch step := l.Step.(type) {
		case Wait:
			return "time: " + step.String()
		case Config:
			if settings[step.Key] == nil {
				return "a session's own setting: " + step.String()
			}
		case *Filter:
			switch do := step.Do.(type) {
			case After, Hang:
				return "an answer that comes later: " + do.String()
			case Panic:
				return "a handler that panics"
			case Set:
				return "a session that can be set: " + do.String()
			}
		}
	}
	return ""
}

// playToMachine plays a script in pieces of a size. A machine has no handlers to
// tell of events, and writes nothing by itself.
func playToMachine(t *testing.T, s *Script, cut int) {
	t.Helper()
	shown := &Script{Name: s.Name, Lines: slices.DeleteFunc(slices.Clone(s.Lines), func(l Line) bool {
		switch l.Step.(type) {
		case Event, Writes:
			return true
		}
		return false
	})}
	milter, err := newBareMilter(s)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	_, differences := (&Player{Cut: cut}).Play(shown, milter)
	for _, d := range differences {
		t.Errorf("%s:%d: in pieces of %d:\nwant %v\n got %v", s.Name, d.Line, cut, d.Want, d.Got)
	}
}

// TestBeyondMachine checks what is left out, and that a script with nothing of it is
// not.
func TestBeyondMachine(t *testing.T) {
	tests := []struct {
		line   string
		beyond bool
	}{
		{"wait 1s", true},
		{"config timeout=5s", true},
		{"config actions=quarantine", false},
		{"config failure-status=accept", false},
		{"filter on helo: after 2s", true},
		{"filter on helo: hang", true},
		{"filter on helo: panic oops", true},
		{"filter on helo: timeout 1s", true},
		{"filter on helo: packet-buffer 0", true},
		{"filter on helo: reject", false},
		{"filter on end-of-message: flush", false},
		{"event helo", false},
		{"writes 2", false},
		{"-> reset", false},
	}
	for _, tt := range tests {
		s := parse(t, fmt.Sprintf("watch helo\n%s\n", tt.line))
		if needs := beyondMachine(s); (needs != "") != tt.beyond {
			t.Errorf("%s: beyond the machine is %q", tt.line, needs)
		}
	}
}
