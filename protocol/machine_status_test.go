package protocol

import (
	"errors"
	"strings"
	"testing"
)

// wayTo has the commands before each of those that take an answer.
var wayTo = map[Code]string{
	CodeNegotiate: "", CodeConnect: "O", CodeHelo: "OC", CodeMailFrom: "OCH", CodeRcptTo: "OCHM", CodeData: "OCHMR",
	CodeUnknown: "OCHM", CodeHeader: "OCHMRT", CodeEndOfHeader: "OCHMRT", CodeBody: "OCHMRTN",
	CodeEndOfMessage: "OCHMRTNB", CodeAbort: "OCHMR",
}

// pendingAt returns a machine that waits for the answer to c, with steps granted
// and on the wire.
func pendingAt(t *testing.T, c Code, granted, wire Steps) *Machine {
	t.Helper()
	m := machineAt(t, wayTo[c])
	if c != CodeNegotiate {
		m.Agreed(Agreement{Granted: Options{Steps: granted}, Wire: Options{Steps: wire}})
	}
	if turn, err := m.Receive(c); err != nil || !turn.Pending || m.Pending() != c {
		t.Fatalf("%v: %+v, error %v", c, turn, err)
	}
	return m
}

// effectTable says what each status does: the letter of the packet, "!" if the
// message ends, "n" if it may not answer.
const effectTable = `
                    continue accept reject tempfail discard skip all-options abort
connect             c        a      r      t        n       n    n           n
helo                c        a      r      t        n       n    n           n
envelope-from       c        a!     r!     t!       d!      n    n           n
envelope-recipient  c        a!     r      t        d!      n    n           n
data                c        a!     r!     t!       d!      n    n           n
unknown             c        n      r      t        n       n    n           n
header              c        a!     r!     t!       d!      n    n           n
end-of-header       c        a!     r!     t!       d!      n    n           n
body                c        a!     r!     t!       d!      s    n           n
end-of-message      c!       a!     r!     t!       d!      n    n           n
`

// forEffects calls f for each cell of the table.
func forEffects(t *testing.T, f func(t *testing.T, c Code, s Status, does string)) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(effectTable), "\n")
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		c := commandNamed(t, cells[0])
		for i, name := range strings.Fields(lines[0]) {
			s := statusNamed(t, name)
			t.Run(c.String()+"/"+name, func(t *testing.T) { f(t, c, s, cells[i+1]) })
		}
	}
}

func TestEffects(t *testing.T) {
	forEffects(t, func(t *testing.T, c Code, s Status, does string) {
		m := pendingAt(t, c, StepSkip, StepSkip)
		entered, within := m.State(), m.InMessage()
		effect, err := m.Apply(s, StatusTempFail)
		want, allowed := s, does != "n"
		if !allowed { // the failure status instead
			want, does = StatusTempFail, "t"
			if c != CodeConnect && c != CodeHelo && c != CodeUnknown && c != CodeRcptTo {
				does = "t!"
			}
		}
		if fault, ok := errors.AsType[*StatusError](err); ok == allowed || ok && *fault != (StatusError{c, s}) {
			t.Errorf("error %v", err)
		}
		letter, ends := strings.CutSuffix(does, "!")
		if effect.Status != want || packetLetter(effect.Answer) != letter || effect.Ends != ends {
			t.Errorf("%+v, want %v and %s", effect, want, does)
		}
		if m.State() != entered+1 || m.LastState() != entered || m.Status() != want || m.Pending() != 0 {
			t.Errorf("machine is now %+v", *m)
		}
		if m.InMessage() != (within && !ends) {
			t.Errorf("in a message: %v", m.InMessage())
		}
	})
}

// TestEffectsUnheard answers what the MTA does not wait for.
func TestEffectsUnheard(t *testing.T) {
	forEffects(t, func(t *testing.T, c Code, s Status, _ string) {
		step := NoReply(c)
		if step == 0 {
			return // always answered
		}
		m := pendingAt(t, c, step|StepSkip, step|StepSkip)
		entered, within := m.State(), m.InMessage()
		effect, err := m.Apply(s, StatusReject)
		skips := c == CodeBody && s == StatusSkip
		if want := s == StatusContinue || skips; (err == nil) != want || err != nil && !errors.Is(err, ErrStatusNotAllowed) {
			t.Errorf("error %v", err)
		}
		want := Effect{Status: StatusContinue}
		if skips {
			want.Status = StatusSkip
		}
		if effect != want {
			t.Errorf("%+v, want %+v", effect, want)
		}
		if m.State() != entered+1 || m.InMessage() != within {
			t.Errorf("machine is now %+v", *m)
		}
	})
}

// TestNoReply returns NoReply where it was agreed, where it was asked for and not
// offered, and where it was neither.
func TestNoReply(t *testing.T) {
	for c := range wayTo {
		step := NoReply(c)
		if step == 0 {
			continue
		}
		tests := []struct {
			name          string
			granted, wire Steps
			want          Effect
			fault         bool
		}{
			{"agreed", step, step, Effect{Status: StatusNoReply}, false},
			{"faked", step, 0, Effect{Status: StatusNoReply, Answer: StatusContinue}, false},
			{"neither", 0, 0, Effect{Status: StatusContinue, Answer: StatusContinue}, true},
			{"for others", StepNoReplyMask &^ step, StepNoReplyMask &^ step, Effect{Status: StatusContinue, Answer: StatusContinue}, true},
		}
		for _, tt := range tests {
			m := pendingAt(t, c, tt.granted, tt.wire)
			effect, err := m.Apply(StatusNoReply, StatusTempFail)
			if effect != tt.want || m.Status() != tt.want.Status || errors.Is(err, ErrStatusNotAllowed) != tt.fault {
				t.Errorf("%v, %s: %+v, error %v; want %+v", c, tt.name, effect, err, tt.want)
			}
		}
	}
}

// TestNoReplyFaked checks that verdicts count where the MTA does read an answer.
func TestNoReplyFaked(t *testing.T) {
	forEffects(t, func(t *testing.T, c Code, s Status, does string) {
		if does == "n" {
			return
		}
		letter, ends := strings.CutSuffix(does, "!")
		m := pendingAt(t, c, StepNoReplyMask|StepSkip, StepSkip)
		effect, err := m.Apply(s, StatusTempFail)
		if err != nil || packetLetter(effect.Answer) != letter || effect.Ends != ends {
			t.Errorf("%+v, error %v; want %s", effect, err, does)
		}
	})
}

// TestNoReplyToWhole checks that there is no way not to answer these.
func TestNoReplyToWhole(t *testing.T) {
	m := pendingAt(t, CodeEndOfMessage, StepNoReplyMask, StepNoReplyMask)
	effect, err := m.Apply(StatusNoReply, StatusReject)
	if want := (Effect{StatusReject, StatusReject, true}); effect != want || !errors.Is(err, ErrStatusNotAllowed) {
		t.Errorf("%+v, error %v; want %+v", effect, err, want)
	}
}
