package protocol

import "testing"

// TestSticky checks what the MTA is told when it goes on with a message that has a
// verdict already.
func TestSticky(t *testing.T) {
	const rest = "RTLNBE"
	tests := []struct {
		name    string
		way     string // to the command that ends the message
		ends    Code
		verdict Status
		granted Steps
		answers string // to the rest
	}{
		{"refused sender", "", 'M', StatusReject, 0, "rrrrrr"},
		{"deferred sender", "", 'M', StatusTempFail, 0, "tttttt"},
		{"accepted sender", "", 'M', StatusAccept, 0, "aaaaaa"},
		{"discarded sender", "", 'M', StatusDiscard, 0, "dddddd"},
		{"accepted recipient", "M", 'R', StatusAccept, 0, "aaaaaa"},
		{"discarded recipient", "M", 'R', StatusDiscard, 0, "dddddd"},
		{"refused data", "M", 'T', StatusReject, 0, "rrrrrr"},
		{"refused header", "M", 'L', StatusReject, 0, "rrrrrr"},
		{"refused end-of-header", "M", 'N', StatusTempFail, 0, "tttttt"},
		{"refused body", "M", 'B', StatusReject, 0, "rrrrrr"},
		{"no reply to header", "", 'M', StatusReject, StepNoReplyHeader | StepNoReplyBody, "rr.r.r"},
		{"whole", "M", 'E', StatusReject, 0, "!!!!!!"},
		{"refused recipient, given up", "MR!A", 0, 0, 0, "!!!!!!"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := machineAt(t, "O"+tt.way)
			m.Agreed(Agreement{Granted: Options{Steps: tt.granted}, Wire: Options{Steps: tt.granted}})
			if tt.ends != 0 {
				effect := answer(t, m, tt.ends, tt.verdict)
				if !effect.Ends || m.InMessage() {
					t.Fatalf("%v to %v: %+v", tt.verdict, tt.ends, effect)
				}
			}
			before := *m
			for i, c := range []Code(rest) {
				turn, err := m.Receive(c)
				got := "!"
				if err == nil {
					got = packetLetter(turn.Answer)
				}
				if got != tt.answers[i:i+1] || turn.Begins || turn.Pending {
					t.Errorf("%v is answered %s: %+v, error %v", c, got, turn, err)
				}
			}
			if *m != before {
				t.Errorf("machine is now %+v, was %+v", *m, before)
			}
		})
	}
}

// TestStickyNoMail checks that there is no old verdict where any command can begin
// a message.
func TestStickyNoMail(t *testing.T) {
	for _, c := range []Code("RTLNBE") {
		m := agreedMachine(StepNoMail, StepNoMail)
		effect := answer(t, m, CodeRcptTo, StatusDiscard)
		if !effect.Ends || m.InMessage() {
			t.Fatalf("%+v", effect)
		}
		if turn, err := m.Receive(c); err != nil || turn != (Turn{Begins: true, Pending: true}) {
			t.Errorf("%v: %+v, error %v", c, turn, err)
		}
	}
}
