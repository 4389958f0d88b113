package protocol

import (
	"errors"
	"testing"
)

func TestSkip(t *testing.T) {
	tests := []struct {
		name          string
		granted, wire Steps
		skip, more    string // what is written for Skip, and for body after it
	}{
		{"offered", StepSkip, StepSkip, "s", "c"},
		{"not offered", StepSkip, 0, "c", "c"},
		{"not asked for", 0, 0, "c", "c"},
		{"body is not answered", StepSkip | StepNoReplyBody, StepSkip | StepNoReplyBody, ".", "."},
		{"body is not answered, skip not offered", StepNoReplyBody, StepNoReplyBody, ".", "."},
		{"body was to be not answered", StepSkip | StepNoReplyBody, StepSkip, "s", "c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := agreedMachine(tt.granted, tt.wire)
			run(t, m, "MRTLNB")
			effect := answer(t, m, CodeBody, StatusSkip)
			if effect.Status != StatusSkip || packetLetter(effect.Answer) != tt.skip || effect.Ends {
				t.Errorf("Skip: %+v, want %s", effect, tt.skip)
			}
			before := *m
			for range 2 {
				turn, err := m.Receive(CodeBody)
				if err != nil || turn.Pending || packetLetter(turn.Answer) != tt.more || *m != before {
					t.Errorf("more of the body: %+v, error %v; want %s", turn, err, tt.more)
				}
			}
			if _, err := m.Receive(CodeHeader); !errors.Is(err, ErrSequence) {
				t.Errorf("a header: error %v", err)
			}
			run(t, m, "U")
			if turn, err := m.Receive(CodeBody); err != nil || turn.Pending {
				t.Errorf("body after an unknown command: %+v, error %v", turn, err)
			}
			if effect := answer(t, m, CodeEndOfMessage, StatusContinue); !effect.Ends {
				t.Errorf("end-of-message: %+v", effect)
			}
			run(t, m, "MRT")
			if turn, err := m.Receive(CodeBody); err != nil || turn != (Turn{Pending: true}) {
				t.Errorf("body of the next message: %+v, error %v", turn, err)
			}
		})
	}
}

// TestSkipEnds checks that an abort ends skipping too.
func TestSkipEnds(t *testing.T) {
	m := agreedMachine(StepSkip, StepSkip)
	run(t, m, "M")
	answer(t, m, CodeBody, StatusSkip)
	run(t, m, "AM")
	if turn, err := m.Receive(CodeBody); err != nil || !turn.Pending {
		t.Errorf("body of the next message: %+v, error %v", turn, err)
	}
}

// TestNotWanted sends what was not to be sent: it is answered, and no handler is
// told.
func TestNotWanted(t *testing.T) {
	for c := range wayTo {
		step := NoEvent(c)
		if step == 0 {
			continue
		}
		tests := []struct {
			name          string
			granted, wire Steps
			want          string
		}{
			{"offered", step, step, "c"},
			{"not offered", step, 0, "c"},
			{"not answered", step | NoReply(c), step | NoReply(c), "."},
			{"to be not answered", step | NoReply(c), 0, "c"},
		}
		for _, tt := range tests {
			m := machineAt(t, wayTo[c])
			m.Agreed(Agreement{Granted: Options{Steps: tt.granted}, Wire: Options{Steps: tt.wire}})
			m.status = StatusReject // of a command before
			within := m.InMessage()
			turn, err := m.Receive(c)
			if err != nil || turn.Pending || packetLetter(turn.Answer) != tt.want {
				t.Errorf("%v, %s: %+v, error %v; want %s", c, tt.name, turn, err, tt.want)
			}
			if turn.Begins != (c == CodeMailFrom) || m.InMessage() != (turn.Begins || within) {
				t.Errorf("%v, %s: begins %v, in a message %v", c, tt.name, turn.Begins, m.InMessage())
			}
			if m.LastState().String() != c.String() || m.State() != m.LastState()+1 || m.Status() != StatusContinue {
				t.Errorf("%v, %s: machine is now %+v", c, tt.name, *m)
			}
		}
	}
}

// TestNotWantedOrder checks that a command nobody wants has its place all the same.
func TestNotWantedOrder(t *testing.T) {
	m := agreedMachine(StepNoEventMask, 0)
	run(t, m, "CHM")
	run(t, m, "RRTLLNBB")
	for _, c := range []Code("RTLN") {
		if _, err := m.Receive(c); !errors.Is(err, ErrSequence) {
			t.Errorf("%v after the body: error %v", c, err)
		}
	}
}

// TestNoMail begins messages with other commands than envelope-from.
func TestNoMail(t *testing.T) {
	for _, c := range []Code("RTLNBE") {
		m := agreedMachine(StepNoMail, StepNoMail)
		for range 2 {
			turn, err := m.Receive(c)
			if err != nil || turn != (Turn{Begins: true, Pending: true}) || !m.InMessage() {
				t.Errorf("%v: %+v, error %v", c, turn, err)
			}
			if _, err := m.Apply(StatusContinue, StatusTempFail); err != nil {
				t.Fatal(err)
			}
			if c != CodeEndOfMessage {
				run(t, m, "E")
			}
			if m.InMessage() {
				t.Errorf("%v: the message has not ended", c)
			}
		}
	}
}
