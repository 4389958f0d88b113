package protocol

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

var update = flag.Bool("update", false, "rewrite the part of doc.go that is made from the tables")

// The part of doc.go that diagram returns, and the heading of the next one.
const (
	diagramHeading = "// # States\n"
	nextHeading    = "// # Changes to a message\n"
)

// moments says in words when a command may come.
var moments = map[moment]string{
	anytime: "at any time", offering: "first of all", opening: "once, before helo", negotiated: "after negotiate",
}

// TestDiagram compares the states in doc.go with the tables of the machine.
// With -update it rewrites them.
func TestDiagram(t *testing.T) {
	const file = "doc.go"
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := bytes.Cut(src, []byte(diagramHeading))
	_, after, next := bytes.Cut(rest, []byte(nextHeading))
	if !found || !next {
		t.Fatalf("%s lacks %q, or %q after it", file, diagramHeading, nextHeading)
	}
	want := slices.Concat(before, []byte(diagram()), []byte(nextHeading), after)
	switch {
	case bytes.Equal(src, want):
	case *update:
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the tables say; mend one of them, or run go test -run TestDiagram -update ./protocol", file)
	}
}

// diagram returns the states as a part of a package comment.
func diagram() string {
	var b strings.Builder
	b.WriteString(diagramHeading)
	b.WriteString(`//
// The state of a command lasts until its answer is known; then comes its replied
// state, at once if the command takes no answer. This is the order of a message:
//
`)
	b.WriteString(messageOrder())
	b.WriteString(`//
// Those with "*" may come again. Any but the first may be left out, and the first
// too if that was agreed on. What may come when, the state it brings, which answers
// it may have, and which of them end the message:
//
`)
	b.WriteString(commandTable())
	b.WriteString(`//
// The letters are those of the packets: continue, accept, reject, tempfail,
// discard, skip; o is an [Agreement], n no reply where that was agreed on. An answer
// may be put off with [StatusProgress]. A command marked "!" gives up a message under
// way first: the state is then abort until handlers have dealt with that. An offer
// may also come first after quit-new-connection. What follows of a message that has
// ended early is answered as that was, until another one begins.
//
`)
	return b.String()
}

// messageOrder returns the commands of a message in their order, on two lines.
func messageOrder() string {
	var words []string
	for _, c := range commandsBy(func(s *step) int { return int(s.place) }) {
		switch s := &onCommand[c]; {
		case s.place == 0:
		case s.again:
			words = append(words, c.String()+"*")
		default:
			words = append(words, c.String())
		}
	}
	return "//\t" + strings.Join(words[:4], " > ") + " >\n//\t    " + strings.Join(words[4:], " > ") + "\n"
}

// commandTable returns the table of commands in the order of their states.
func commandTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "command\tstate\twhen\tanswers\tthat end\t")
	for _, c := range commandsBy(func(s *step) int { return (int(s.enters) + numStates - 1) % numStates }) {
		s := &onCommand[c]
		state := s.enters.String()
		if s.enters == 0 {
			state = "-"
		}
		fmt.Fprintf(w, "%v\t%s\t%s\t%s\t%s\t\n", c, state, when(s), answersOf(c), endsOf(c))
	}
	w.Flush()
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		out.WriteString("//\t" + strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

// commandsBy returns all commands in the order of a number.
func commandsBy(key func(*step) int) []Code {
	var list []Code
	for c := range onCommand {
		if onCommand[c].from != never {
			list = append(list, Code(c))
		}
	}
	slices.SortStableFunc(list, func(a, b Code) int {
		return cmp.Compare(key(&onCommand[a]), key(&onCommand[b]))
	})
	return list
}

// when says when a command may come.
func when(s *step) string {
	text := moments[s.from]
	switch {
	case s.from == inMessage && s.again:
		text = "in a message"
	case s.from == inMessage:
		text = "once in a message"
	}
	if s.givesUp {
		text += " !"
	}
	return text
}

// letters returns the letters of the statuses for which has is true.
func letters(has func(Status) bool) string {
	var b strings.Builder
	for s := range Status(numStatuses) {
		switch {
		case !has(s):
		case s == StatusAllOptions:
			b.WriteByte('o')
		case s == StatusNoReply:
			b.WriteByte('n')
		default:
			b.WriteString(strings.Trim(packetLetter(s), "."))
		}
	}
	return b.String()
}

func answersOf(c Code) string {
	return letters(func(s Status) bool { return c != CodeAbort && s.Answers(c, StepsAll) })
}

func endsOf(c Code) string {
	return letters(func(s Status) bool { return endsMessage[s].has(c) })
}
