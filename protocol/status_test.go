package protocol

import (
	"slices"
	"strings"
	"testing"
)

func TestStatuses(t *testing.T) {
	names := []string{
		"default", "continue", "accept", "reject", "tempfail", "discard",
		"skip", "no-reply", "all-options", "progress", "abort", "invalid",
	}
	for i, name := range names {
		if got := Status(i).String(); got != name {
			t.Errorf("status %d is %q, want %q", i, got, name)
		}
		if got, want := Status(i).IsPass(), i < 2; got != want {
			t.Errorf("%s: IsPass is %v", name, got)
		}
	}
	if StatusAbort != 10 || numStatuses != 11 || Status(255).String() != "invalid" {
		t.Errorf("%d statuses, the last is %d", numStatuses, StatusAbort)
	}
}

// answerTable says which status may answer which command: y it may, n it may not,
// g only where the no-reply step of the command was granted.
const answerTable = `
                    continue accept reject tempfail discard no-reply skip all-options progress
negotiate           y        n      y      n        n       n        n    y           y
connect             y        y      y      y        n       g        n    n           y
helo                y        y      y      y        n       g        n    n           y
envelope-from       y        y      y      y        y       g        n    n           y
envelope-recipient  y        y      y      y        y       g        n    n           y
data                y        y      y      y        y       g        n    n           y
unknown             y        n      y      y        n       g        n    n           y
header              y        y      y      y        y       g        n    n           y
end-of-header       y        y      y      y        y       g        n    n           y
body                y        y      y      y        y       g        y    n           y
end-of-message      y        y      y      y        y       n        n    n           y
abort               y        y      y      y        y       y        y    y           y
`

// commandNamed returns the command with a name.
func commandNamed(t *testing.T, name string) Code {
	t.Helper()
	for c := range 256 {
		if Code(c).IsCommand() && Code(c).String() == name {
			return Code(c)
		}
	}
	t.Fatalf("no command is called %q", name)
	return 0
}

// statusNamed returns the status with a name.
func statusNamed(t *testing.T, name string) Status {
	t.Helper()
	i := slices.Index(statusNames[:], name)
	if i < 0 {
		t.Fatalf("no status is called %q", name)
	}
	return Status(i)
}

// allowedAnswers returns the table: what stands where a status meets a command.
func allowedAnswers(t *testing.T) map[Code]map[Status]string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(answerTable), "\n")
	table := make(map[Code]map[Status]string)
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		row := make(map[Status]string)
		for i, name := range strings.Fields(lines[0]) {
			row[statusNamed(t, name)] = fields[i+1]
		}
		table[commandNamed(t, fields[0])] = row
	}
	return table
}

func TestStatusAnswers(t *testing.T) {
	table := allowedAnswers(t)
	if len(table) != 12 {
		t.Fatalf("%d commands in the table, want 12", len(table))
	}
	for c := range 256 {
		code := Code(c)
		row, takesAnswer := table[code]
		for s := Status(0); s <= numStatuses; s++ {
			for _, granted := range []Steps{0, StepsAll, StepsAll &^ NoReply(code), NoReply(code)} {
				want := row[s] == "y" || row[s] == "g" && granted.Has(NoReply(code)) || s == StatusDefault && takesAnswer ||
					code == CodeAbort
				if got := s.Answers(code, granted); got != want {
					t.Errorf("%v answers %v with %v granted: %v", s, code, granted, got)
				}
			}
		}
	}
}

// TestStronger compares each status with each.
func TestStronger(t *testing.T) {
	order := []Status{StatusDiscard, StatusReject, StatusTempFail, StatusContinue, StatusSkip, StatusAccept}
	place := func(s Status) int {
		if i := slices.Index(order, s); i >= 0 {
			return i
		}
		return len(order) // all others are equal
	}
	for s := Status(0); s <= numStatuses; s++ {
		for u := Status(0); u <= numStatuses; u++ {
			if got, want := s.Stronger(u), place(s) < place(u); got != want {
				t.Errorf("%v is stronger than %v: %v", s, u, got)
			}
		}
	}
}

// TestAppendReply has the packet of each status, without a text and with one of
// either class.
func TestAppendReply(t *testing.T) {
	refusal, err := NewSMTPReply(550, "5.7.1", "no")
	if err != nil {
		t.Fatal(err)
	}
	delay, err := NewSMTPReply(451, "", "wait")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		status                Status
		plain, with5xx, with4 string
	}{
		{StatusDefault, "", "", ""},
		{StatusContinue, "c", "c", "c"},
		{StatusAccept, "a", "a", "a"},
		{StatusReject, "r", "y550 5.7.1 no\x00", "r"},
		{StatusTempFail, "t", "t", "y451 wait\x00"},
		{StatusDiscard, "d", "d", "d"},
		{StatusSkip, "s", "s", "s"},
		{StatusNoReply, "", "", ""},
		{StatusAllOptions, "", "", ""},
		{StatusProgress, "", "", ""},
		{StatusAbort, "", "", ""},
		{numStatuses, "", "", ""},
	}
	for _, tt := range tests {
		for text, want := range map[*SMTPReply]string{nil: tt.plain, refusal: tt.with5xx, delay: tt.with4} {
			got := AppendReply([]byte("before"), tt.status, text)
			if want != "" {
				want = "\x00\x00\x00" + string(rune(len(want))) + want
			}
			if string(got) != "before"+want {
				t.Errorf("%v with text %v: %q, want %q", tt.status, text, got, want)
			}
		}
	}
}
