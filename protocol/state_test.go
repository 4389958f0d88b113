package protocol

import "testing"

// TestStates has the numbers and texts of all states, and which of them lie within
// the processing of a message.
func TestStates(t *testing.T) {
	tests := []struct {
		state  State
		name   string
		within bool
	}{
		{StateInvalid, "invalid", false},
		{StateStart, "start", false},
		{StateNegotiate, "negotiate", false},
		{StateNegotiateReplied, "negotiate-replied", false},
		{StateConnect, "connect", false},
		{StateConnectReplied, "connect-replied", false},
		{StateHelo, "helo", false},
		{StateHeloReplied, "helo-replied", false},
		{StateEnvelopeFrom, "envelope-from", true},
		{StateEnvelopeFromReplied, "envelope-from-replied", true},
		{StateEnvelopeRecipient, "envelope-recipient", true},
		{StateEnvelopeRecipientReplied, "envelope-recipient-replied", true},
		{StateData, "data", true},
		{StateDataReplied, "data-replied", true},
		{StateUnknown, "unknown", true},
		{StateUnknownReplied, "unknown-replied", true},
		{StateHeader, "header", true},
		{StateHeaderReplied, "header-replied", true},
		{StateEndOfHeader, "end-of-header", true},
		{StateEndOfHeaderReplied, "end-of-header-replied", true},
		{StateBody, "body", true},
		{StateBodyReplied, "body-replied", true},
		{StateEndOfMessage, "end-of-message", false},
		{StateEndOfMessageReplied, "end-of-message-replied", false},
		{StateQuit, "quit", false},
		{StateQuitReplied, "quit-replied", false},
		{StateAbort, "abort", false},
		{StateAbortReplied, "abort-replied", false},
		{StateFinished, "finished", false},
		{29, "invalid", false},
		{255, "invalid", false},
	}
	for i, tt := range tests {
		if int(tt.state) != i && tt.state < numStates {
			t.Errorf("%v is number %d, want %d", tt.state, tt.state, i)
		}
		if got := tt.state.String(); got != tt.name {
			t.Errorf("state %d is %q, want %q", tt.state, got, tt.name)
		}
		if got := tt.state.InMessageProcessing(); got != tt.within {
			t.Errorf("%v: InMessageProcessing is %v", tt.state, got)
		}
	}
	if numStates != 29 {
		t.Errorf("%d states, want 29", numStates)
	}
}
