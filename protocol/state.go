package protocol

// A State is where a session stands. The state of a command lasts until its
// answer is known; then comes the Replied state.
type State uint8

// The states. Their order is part of the contract.
const (
	StateInvalid State = iota
	StateStart
	StateNegotiate
	StateNegotiateReplied
	StateConnect
	StateConnectReplied
	StateHelo
	StateHeloReplied
	StateEnvelopeFrom
	StateEnvelopeFromReplied
	StateEnvelopeRecipient
	StateEnvelopeRecipientReplied
	StateData
	StateDataReplied
	StateUnknown
	StateUnknownReplied
	StateHeader
	StateHeaderReplied
	StateEndOfHeader
	StateEndOfHeaderReplied
	StateBody
	StateBodyReplied
	StateEndOfMessage
	StateEndOfMessageReplied
	StateQuit
	StateQuitReplied
	StateAbort
	StateAbortReplied
	StateFinished

	numStates = iota
)

var stateNames = [numStates]string{
	"invalid", "start", "negotiate", "negotiate-replied", "connect", "connect-replied",
	"helo", "helo-replied", "envelope-from", "envelope-from-replied",
	"envelope-recipient", "envelope-recipient-replied", "data", "data-replied",
	"unknown", "unknown-replied", "header", "header-replied",
	"end-of-header", "end-of-header-replied", "body", "body-replied",
	"end-of-message", "end-of-message-replied", "quit", "quit-replied",
	"abort", "abort-replied", "finished",
}

// String returns the protocol's word for s, such as "end-of-message-replied".
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return stateNames[StateInvalid]
	}
	return stateNames[s]
}

// InMessageProcessing reports whether s lies from StateEnvelopeFrom up to but
// not including StateEndOfMessage. It looks at s alone, so it is true for an
// unknown command outside a message; see [Machine.InMessage].
func (s State) InMessageProcessing() bool {
	return StateEnvelopeFrom <= s && s < StateEndOfMessage
}
