package protocol

import (
	"errors"
	"testing"
)

func TestFinish(t *testing.T) {
	for _, way := range places {
		m := machineAt(t, way)
		last := m.LastState()
		m.Finish()
		if m.State() != StateFinished || m.LastState() != last || m.InMessage() || m.Pending() != 0 {
			t.Errorf("%q: machine is now %+v", way, *m)
		}
	}
	m := pendingAt(t, CodeBody, 0, 0)
	m.Finish()
	if _, err := m.Apply(StatusContinue, StatusTempFail); !errors.Is(err, ErrInvalidState) || m.InMessage() {
		t.Errorf("a late answer: error %v", err)
	}
}

func TestRenew(t *testing.T) {
	const steps = StepNoReplyHeader | StepSkip
	m := agreedMachine(steps, StepSkip)
	run(t, m, "CHM")
	answer(t, m, CodeData, StatusReject)
	m.Finish()
	m.Renew()
	want := Machine{
		state: StateNegotiateReplied, last: StateNegotiate, agreed: true, renewed: true, granted: steps, wire: StepSkip,
	}
	if *m != want {
		t.Errorf("%+v, want %+v", *m, want)
	}
	run(t, m, "CHMRTLNBE")
	if _, err := m.Receive(CodeNegotiate); !errors.Is(err, ErrSequence) {
		t.Errorf("an offer after commands: error %v", err)
	}

	m = machineAt(t, "K")
	m.Finish()
	m.Renew()
	if *m != *NewMachine() {
		t.Errorf("before the negotiation: %+v", *m)
	}
}

// TestRenegotiate checks that a new offer is in order first after renewal, and that
// what is agreed then replaces what was.
func TestRenegotiate(t *testing.T) {
	m := machineAt(t, "OCK=")
	run(t, m, "O")
	m.Agreed(Agreement{Granted: Options{Steps: StepNoMail}, Wire: Options{Steps: StepNoMail}})
	if _, err := m.Receive(CodeNegotiate); !errors.Is(err, ErrSequence) {
		t.Errorf("another offer: error %v", err)
	}
	if turn, err := m.Receive(CodeRcptTo); err != nil || !turn.Begins {
		t.Errorf("%+v, error %v", turn, err)
	}
}

// TestRefusedOffer checks that there is one offer only, and nothing without it.
func TestRefusedOffer(t *testing.T) {
	m := NewMachine()
	answer(t, m, CodeNegotiate, StatusReject)
	for _, c := range []Code("OCHMRTLNBEU") {
		if _, err := m.Receive(c); !errors.Is(err, ErrSequence) {
			t.Errorf("%v: error %v", c, err)
		}
	}
}

// TestSet puts a machine into every state.
func TestSet(t *testing.T) {
	const entered = "OCHMRTULNBE" // in the order of the states
	for s := range State(numStates) {
		m := agreedMachine(StepSkip|StepNoReplyHeader, StepSkip)
		run(t, m, "M")
		answer(t, m, CodeBody, StatusSkip)
		m.Set(s, StatusTempFail)
		want := Machine{
			state: s, last: StateBody, status: StatusTempFail, granted: StepSkip | StepNoReplyHeader, wire: StepSkip,
		}
		if i := int(s)/2 - 1; s%2 == 0 && i >= 0 && i < len(entered) {
			want.last, want.pending = s, Code(entered[i])
		}
		want.inMessage = s >= 8 && s <= 22
		want.agreed, want.opened = s >= 3, s >= 4
		want.place = [numStates]uint8{8: 1, 1, 2, 2, 3, 3, 0, 0, 4, 4, 5, 5, 6, 6, 7, 7}[s]
		if *m != want {
			t.Errorf("%v: %+v, want %+v", s, *m, want)
		}
	}
}

// TestSetGoesOn checks that a machine works on from the state it was put into.
func TestSetGoesOn(t *testing.T) {
	m := NewMachine()
	m.Set(StateEnvelopeRecipientReplied, StatusContinue)
	run(t, m, "RTLNBEAMQ")
	m = NewMachine()
	m.Set(StateBody, StatusContinue)
	if effect, err := m.Apply(StatusReject, StatusTempFail); err != nil || !effect.Ends || m.State() != StateBodyReplied {
		t.Errorf("%+v, error %v", effect, err)
	}
}
