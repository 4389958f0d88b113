package protocol

import "testing"

// agreedMachine returns a machine that has negotiated: granted is what the
// session obeys, wire what the MTA was told.
func agreedMachine(granted, wire Steps) *Machine {
	m := NewMachine()
	if _, err := m.Receive(CodeNegotiate); err != nil {
		panic(err)
	}
	if _, err := m.Apply(StatusAllOptions, StatusTempFail); err != nil {
		panic(err)
	}
	m.Agreed(Agreement{Granted: Options{Version, ActionsAll, granted}, Wire: Options{Version, ActionsAll, wire}})
	return m
}

// run takes m through commands, each answered with Continue. An abort that a
// command brings about is carried out, and the command received again.
func run(t testing.TB, m *Machine, commands string) {
	t.Helper()
	for _, c := range []Code(commands) {
		for {
			turn, err := m.Receive(c)
			if err != nil {
				t.Fatalf("%q: %v", commands, err)
			}
			if turn.Pending {
				if _, err := m.Apply(StatusContinue, StatusTempFail); err != nil {
					t.Fatalf("%q: answer to %v: %v", commands, c, err)
				}
			}
			if turn.Aborts == StateInvalid || c == CodeAbort {
				break
			}
		}
	}
}

// answer gives m a command that is answered with s, without a fault.
func answer(t testing.TB, m *Machine, c Code, s Status) Effect {
	t.Helper()
	turn, err := m.Receive(c)
	if err != nil || !turn.Pending {
		t.Fatalf("%v: %+v, error %v", c, turn, err)
	}
	effect, err := m.Apply(s, StatusTempFail)
	if err != nil {
		t.Fatalf("%v to %v: %v", s, c, err)
	}
	return effect
}

// packetLetter returns the code of the packet for a status; "." if there is none.
func packetLetter(s Status) string {
	b := AppendReply(nil, s, nil)
	if len(b) == 0 {
		return "."
	}
	return string(b[lengthSize:])
}
