package protocol

import (
	"errors"
	"testing"
)

// TestAbortStatus checks what becomes of the status of a session when a message is
// given up: a verdict stays.
func TestAbortStatus(t *testing.T) {
	stay := map[Status]bool{StatusAccept: true, StatusReject: true, StatusTempFail: true, StatusDiscard: true}
	for s := StatusDefault; s <= StatusNoReply; s++ {
		m := agreedMachine(0, 0)
		run(t, m, "M")
		m.status = s
		effect := answer(t, m, CodeAbort, StatusContinue)
		want := StatusAbort
		if stay[s] {
			want = s
		}
		if effect != (Effect{Status: want, Ends: true}) || m.Status() != want {
			t.Errorf("%v: %+v, status %v; want %v", s, effect, m.Status(), want)
		}
	}
}

// TestAborts gives up a message in every way, at every place, with an answer
// pending and without.
func TestAborts(t *testing.T) {
	for c, way := range wayTo {
		if way == "" || way == "O" || way == "OC" || c == CodeAbort {
			continue
		}
		for _, pending := range []bool{true, false} {
			for _, by := range []Code("AHMQK") {
				m := pendingAt(t, c, 0, 0)
				at := m.State()
				if !pending {
					if c == CodeEndOfMessage {
						continue // its answer ends the message
					}
					if _, err := m.Apply(StatusContinue, StatusTempFail); err != nil {
						t.Fatal(err)
					}
					at++
				}
				checkAbort(t, m, by, at)
			}
		}
	}
}

// checkAbort has a message given up by a command, in state at.
func checkAbort(t *testing.T, m *Machine, by Code, at State) {
	t.Helper()
	last := m.LastState()
	turn, err := m.Receive(by)
	if err != nil || turn != (Turn{Aborts: at, Pending: true}) || m.State() != StateAbort {
		t.Errorf("%v by %v: %+v, error %v", at, by, turn, err)
	}
	effect, err := m.Apply(StatusReject, StatusTempFail) // of no effect
	if err != nil || effect != (Effect{Status: StatusAbort, Ends: true}) {
		t.Errorf("%v by %v: %+v, error %v", at, by, effect, err)
	}
	if m.State() != StateAbortReplied || m.LastState() != last || m.InMessage() || m.Pending() != 0 {
		t.Errorf("%v by %v: machine is now %+v", at, by, *m)
	}
	if by == CodeAbort {
		return
	}
	turn, err = m.Receive(by)
	want := Turn{Begins: by == CodeMailFrom, Pending: by == CodeMailFrom || by == CodeHelo}
	if err != nil || turn != want || turn.Begins != m.InMessage() {
		t.Errorf("%v received again: %+v, error %v; want %+v", by, turn, err, want)
	}
}

// TestAbortOutside checks that there is nothing to give up outside a message.
func TestAbortOutside(t *testing.T) {
	for _, way := range []string{"O", "OC", "OCH", "OU", "OMA", "OMAA", "OME", "OM!", "OMRA", "OMEH"} {
		m := machineAt(t, way)
		last, status := m.LastState(), m.Status()
		turn, err := m.Receive(CodeAbort)
		if err != nil || turn != (Turn{}) || m.State() != StateAbortReplied {
			t.Errorf("%s: %+v, state %v, error %v", way, turn, m.State(), err)
		}
		if m.LastState() != last || m.Status() != status || m.InMessage() || m.Pending() != 0 {
			t.Errorf("%s: machine is now %+v", way, *m)
		}
	}
	m := NewMachine()
	if turn, err := m.Receive(CodeAbort); err != nil || turn != (Turn{}) || *m != *NewMachine() {
		t.Errorf("before the negotiation: %+v, error %v, %+v", turn, err, *m)
	}
}

// TestVerdictOfRecipient checks that one recipient is not the message.
func TestVerdictOfRecipient(t *testing.T) {
	m := agreedMachine(0, 0)
	run(t, m, "M")
	for _, s := range []Status{StatusReject, StatusTempFail} {
		if effect := answer(t, m, CodeRcptTo, s); effect.Ends || !m.InMessage() {
			t.Errorf("%v: %+v", s, effect)
		}
	}
	if turn, err := m.Receive(CodeAbort); err != nil || turn.Aborts != StateEnvelopeRecipientReplied {
		t.Errorf("given up: %+v, error %v", turn, err)
	}
}

// TestQuitDuringAbort checks that a quit does not wait for handlers that are still
// told of an abort, and that the message has then ended.
func TestQuitDuringAbort(t *testing.T) {
	for _, c := range []Code("QK") {
		m := agreedMachine(0, 0)
		run(t, m, "MR")
		if turn, err := m.Receive(CodeAbort); err != nil || !turn.Pending {
			t.Fatalf("%+v, error %v", turn, err)
		}
		if turn, err := m.Receive(c); err != nil || turn != (Turn{}) {
			t.Errorf("%v: %+v, error %v", c, turn, err)
		}
		if m.State() != StateQuitReplied || m.InMessage() || m.Status() != StatusAbort || m.Pending() != 0 {
			t.Errorf("%v: machine is now %+v", c, *m)
		}
	}
}

// TestQuitWhilePending checks that a quit outside a message drops what was pending.
func TestQuitWhilePending(t *testing.T) {
	for _, pending := range []Code("OCHU") {
		m := machineAt(t, map[Code]string{'O': "", 'C': "O", 'H': "OC", 'U': "OCH"}[pending])
		if turn, err := m.Receive(pending); err != nil || !turn.Pending {
			t.Fatalf("%v: %+v, error %v", pending, turn, err)
		}
		turn, err := m.Receive(CodeQuit)
		if err != nil || turn != (Turn{}) || m.State() != StateQuitReplied || m.Pending() != 0 {
			t.Errorf("%v: %+v, error %v, %+v", pending, turn, err, *m)
		}
		if _, err := m.Apply(StatusContinue, StatusTempFail); !errors.Is(err, ErrInvalidState) {
			t.Errorf("%v: a late answer: error %v", pending, err)
		}
	}
}
