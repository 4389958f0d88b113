package protocol

import (
	"errors"
	"testing"
)

// TestDefault checks what no opinion comes to.
func TestDefault(t *testing.T) {
	for c := range wayTo {
		m := pendingAt(t, c, 0, 0)
		effect, err := m.Apply(StatusDefault, StatusTempFail)
		want := Effect{Status: StatusContinue, Answer: StatusContinue, Ends: c == CodeEndOfMessage}
		switch c {
		case CodeNegotiate:
			want = Effect{Status: StatusAllOptions, Answer: StatusAllOptions}
		case CodeAbort:
			want = Effect{Status: StatusAbort, Ends: true}
		}
		if effect != want || err != nil {
			t.Errorf("%v: %+v, error %v; want %+v", c, effect, err, want)
		}
	}
}

func TestNegotiateAnswer(t *testing.T) {
	for s := Status(0); s <= numStatuses; s++ {
		m := pendingAt(t, CodeNegotiate, 0, 0)
		effect, err := m.Apply(s, StatusContinue)
		want, fault := Effect{Status: s, Answer: s}, false
		switch s {
		case StatusContinue, StatusReject, StatusAllOptions:
		case StatusDefault:
			want = Effect{Status: StatusAllOptions, Answer: StatusAllOptions}
		case StatusProgress:
			want.Answer = StatusDefault
		default:
			want, fault = Effect{Status: StatusReject, Answer: StatusReject}, true
		}
		if effect != want || errors.Is(err, ErrStatusNotAllowed) != fault {
			t.Errorf("%v: %+v, error %v; want %+v", s, effect, err, want)
		}
		if s != StatusProgress && m.State() != StateNegotiateReplied {
			t.Errorf("%v: state %v", s, m.State())
		}
	}
}

// TestFallback has what takes effect in place of a status that may not answer.
func TestFallback(t *testing.T) {
	tests := []struct {
		code     Code
		status   Status
		fallback Status
		want     Status
	}{
		{CodeHelo, StatusDiscard, StatusTempFail, StatusTempFail},
		{CodeHelo, StatusDiscard, StatusReject, StatusReject},
		{CodeHelo, StatusDiscard, StatusContinue, StatusContinue},
		{CodeHelo, StatusDiscard, StatusDiscard, StatusContinue},
		{CodeHelo, StatusDiscard, StatusSkip, StatusContinue},
		{CodeHelo, StatusDiscard, StatusDefault, StatusContinue},
		{CodeHelo, StatusDiscard, StatusProgress, StatusContinue},
		{CodeHelo, StatusDiscard, StatusAbort, StatusContinue},
		{CodeHelo, StatusDiscard, StatusNoReply, StatusContinue},
		{CodeHelo, StatusDiscard, numStatuses, StatusContinue},
		{CodeHelo, numStatuses, StatusTempFail, StatusTempFail},
		{CodeHeader, StatusSkip, StatusDiscard, StatusDiscard},
		{CodeUnknown, StatusAccept, StatusAccept, StatusContinue},
		{CodeBody, StatusAllOptions, StatusSkip, StatusSkip},
		{CodeEndOfMessage, StatusSkip, StatusAccept, StatusAccept},
	}
	for _, tt := range tests {
		m := pendingAt(t, tt.code, StepSkip, StepSkip)
		effect, err := m.Apply(tt.status, tt.fallback)
		if effect.Status != tt.want || effect.Answer != tt.want || m.Status() != tt.want {
			t.Errorf("%v to %v, else %v: %+v, want %v", tt.status, tt.code, tt.fallback, effect, tt.want)
		}
		if fault, ok := errors.AsType[*StatusError](err); !ok || *fault != (StatusError{tt.code, tt.status}) {
			t.Errorf("%v to %v: error %v", tt.status, tt.code, err)
		}
	}
}

// TestProgress checks that an answer may be put off, more than once.
func TestProgress(t *testing.T) {
	for c := range wayTo {
		m := pendingAt(t, c, 0, 0)
		before := *m
		for range 2 {
			effect, err := m.Apply(StatusProgress, StatusTempFail)
			if effect != (Effect{Status: StatusProgress}) || err != nil || *m != before {
				t.Errorf("%v: %+v, error %v", c, effect, err)
			}
		}
		if _, err := m.Apply(StatusContinue, StatusTempFail); err != nil || m.Pending() != 0 {
			t.Errorf("%v: pending %v, error %v", c, m.Pending(), err)
		}
	}
}

// TestApplyNothing answers when no answer is due.
func TestApplyNothing(t *testing.T) {
	for place, way := range places {
		m := machineAt(t, way)
		before := *m
		for _, s := range []Status{StatusContinue, StatusProgress, StatusReject} {
			if effect, err := m.Apply(s, StatusTempFail); !errors.Is(err, ErrInvalidState) || effect != (Effect{}) || *m != before {
				t.Errorf("%s: %+v, error %v", place, effect, err)
			}
		}
	}
}
