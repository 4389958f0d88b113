package protocol

import (
	"errors"
	"strings"
	"testing"
)

// acceptance says what every command means at every place of a session.
//
//	"+"  handlers are told, and the machine waits for an answer
//	"d"  handlers are told, and there is no answer
//	"."  it is taken, and nobody is told
//	"x"  it gives up the message first
//	"="  it is answered with the verdict of the message that has ended
//	"-"  it is out of order
const acceptance = `
                 O D C H M R T L N B E U A Q K
start            + d - - - - - - - - - - . . .
negotiated       - d + + + - - - - - - + . . .
connected        - d - + + - - - - - - + . . .
greeted          - d - + + - - - - - - + . . .
sender           - d - x x + + + + + + + x x x
recipient        - d - x x + + + + + + + x x x
data             - d - x x - - + + + + + x x x
header           - d - x x - - + + + + + x x x
end-of-header    - d - x x - - - - + + + x x x
body             - d - x x - - - - + + + x x x
whole            - d - + + - - - - - - + . . .
given-up         - d - + + - - - - - - + . . .
unknown-first    - d + + + - - - - - - + . . .
unknown-within   - d - x x - - + + + + + x x x
refused          - d - + + = = = = = = + . . .
refused-unknown  - d - + + = = = = = = + . . .
refused-helo     - d - + + - - - - - - + . . .
refused-abort    - d - + + - - - - - - + . . .
renewed          + d + + + - - - - - - + . . .
renewed-unknown  - d + + + - - - - - - + . . .
renewed-early    + d - - - - - - - - - - . . .
quit             - - - - - - - - - - - - - - -
finished         - - - - - - - - - - - - - - -
`

// places has the way to each place of the table: commands answered with Continue,
// or with Reject after "!". "=" renews the machine.
var places = map[string]string{
	"start":           "",
	"negotiated":      "O",
	"connected":       "OC",
	"greeted":         "OCH",
	"sender":          "OCHM",
	"recipient":       "OCHMR",
	"data":            "OCHMRT",
	"header":          "OCHMRTL",
	"end-of-header":   "OCHMRTLN",
	"body":            "OCHMRTLNB",
	"whole":           "OCHMRTLNBE",
	"given-up":        "OCHMRA",
	"unknown-first":   "OU",
	"unknown-within":  "OMTU",
	"refused":         "OM!",
	"refused-unknown": "OMT!U",
	"refused-helo":    "OM!H",
	"refused-abort":   "OM!A",
	"renewed":         "OCHMK=",
	"renewed-unknown": "OK=U",
	"renewed-early":   "K=",
	"quit":            "OCQ",
	"finished":        "OCQ#",
}

// machineAt returns a machine that has gone a way.
func machineAt(t *testing.T, way string) *Machine {
	t.Helper()
	m := NewMachine()
	for i, c := range []byte(way) {
		switch {
		case c == '!':
		case c == '#':
			m.Finish()
		case c == '=':
			m.Finish()
			m.Renew()
		case strings.HasPrefix(way[i+1:], "!"):
			if _, err := m.Receive(Code(c)); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Apply(StatusReject, StatusTempFail); err != nil {
				t.Fatal(err)
			}
		default:
			run(t, m, string(rune(c)))
		}
		if c == 'O' {
			m.Agreed(Agreement{})
		}
	}
	return m
}

func TestAcceptance(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(acceptance), "\n")
	if len(lines)-1 != len(places) {
		t.Fatalf("%d places in the table, %d ways", len(lines)-1, len(places))
	}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		place := cells[0]
		for i, letter := range strings.Fields(lines[0]) {
			c := Code(letter[0])
			t.Run(place+"/"+c.String(), func(t *testing.T) {
				m := machineAt(t, places[place])
				checkTurn(t, m, c, cells[i+1])
			})
		}
	}
}

// checkTurn gives m a command, and checks that it means what the table says.
func checkTurn(t *testing.T, m *Machine, c Code, means string) {
	t.Helper()
	before := *m
	turn, err := m.Receive(c)
	if (err != nil) != (means == "-") {
		t.Fatalf("in state %v: error %v", before.state, err)
	}
	want := Turn{}
	switch means {
	case "-":
		fault, ok := errors.AsType[*StateError](err)
		if !ok || fault.State != before.State() || fault.Code != c {
			t.Errorf("error %#v", err)
		}
	case "=":
		want = Turn{Answer: StatusReject}
	case "x":
		want = Turn{Aborts: before.State(), Pending: true}
	case "+":
		want = Turn{Begins: c == CodeMailFrom, Pending: true}
	}
	if turn != want {
		t.Errorf("%+v, want %+v", turn, want)
	}
	switch means {
	case "-", "d", "=":
		if *m != before {
			t.Errorf("machine is now %+v, was %+v", *m, before)
		}
	case "x":
		if m.State() != StateAbort || m.Pending() != CodeAbort || m.LastState() != before.LastState() || !m.InMessage() {
			t.Errorf("machine is now %+v", *m)
		}
	case "+":
		if m.State().String() != c.String() || m.Pending() != c || m.LastState() != m.State() {
			t.Errorf("machine is now %+v", *m)
		}
	}
}

// TestReceiveNoCommand checks that what is no command is never in order.
func TestReceiveNoCommand(t *testing.T) {
	for c := range 256 {
		if Code(c).IsCommand() {
			continue
		}
		for _, way := range places {
			m := machineAt(t, way)
			before := *m
			if _, err := m.Receive(Code(c)); !errors.Is(err, ErrSequence) || *m != before {
				t.Fatalf("%v: error %v", Code(c), err)
			}
		}
	}
}

// TestReceiveWhilePending checks what may come before an answer: what ends things.
func TestReceiveWhilePending(t *testing.T) {
	tests := []struct{ way, pending, inOrder string }{
		{"", "O", "DQK"},
		{"O", "C", "DQK"},
		{"O", "H", "DQK"},
		{"O", "U", "DQK"},
		{"O", "M", "DAHMQK"},
		{"OM", "R", "DAHMQK"},
		{"OM", "U", "DAHMQK"},
		{"OM", "B", "DAHMQK"},
		{"OM", "E", "DAHMQK"},
		{"OM", "A", "DQK"},
	}
	for _, tt := range tests {
		for _, c := range []Code("ODCHMRTLNBEUAQK") {
			m := machineAt(t, tt.way)
			if turn, err := m.Receive(Code(tt.pending[0])); err != nil || !turn.Pending {
				t.Fatalf("%s then %s: %+v, error %v", tt.way, tt.pending, turn, err)
			}
			before := *m
			_, err := m.Receive(c)
			if want := strings.ContainsRune(tt.inOrder, rune(c)); (err == nil) != want {
				t.Errorf("%s then %s pending: %v: error %v", tt.way, tt.pending, c, err)
			}
			if err != nil && *m != before {
				t.Errorf("%s then %s pending: %v has changed the machine", tt.way, tt.pending, c)
			}
		}
	}
}
