package protocol

import "testing"

// TestWholeMessage takes a machine through one message.
func TestWholeMessage(t *testing.T) {
	m := NewMachine()
	for _, c := range []Code{'O', 'D', 'C', 'H', 'M', 'R', 'R', 'T', 'L', 'L', 'N', 'B', 'B', 'E', 'A', 'M'} {
		turn, err := m.Receive(c)
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if c == CodeNegotiate {
			m.Agreed(Agreement{})
		}
		if turn.Pending {
			if _, err := m.Apply(StatusContinue, StatusTempFail); err != nil {
				t.Fatalf("%v: %v", c, err)
			}
		}
	}
	if turn, _ := m.Receive(CodeQuit); turn.Aborts != StateEnvelopeFromReplied {
		t.Errorf("quit in a message aborts %v", turn.Aborts)
	}
}
