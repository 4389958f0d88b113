package script

import (
	"errors"

	"millstream/protocol"
)

// errorWords has a word for each error of the protocol, those that are others first.
var errorWords = []struct {
	err  error
	word string
}{
	{protocol.ErrPacketEmpty, "packet-empty"},
	{protocol.ErrPacketTooLarge, "packet-too-large"},
	{protocol.ErrShortPacket, "short-packet"},
	{protocol.ErrMissingNull, "missing-null"},
	{protocol.ErrTooMany, "too-many"},
	{protocol.ErrUnexpectedCommand, "unexpected-command"},
	{protocol.ErrUnknownFamily, "unknown-family"},
	{protocol.ErrInvalidAddress, "invalid-address"},
	{protocol.ErrUnexpectedEnd, "unexpected-end"},
	{protocol.ErrSequence, "sequence"},
	{protocol.ErrProtocol, "protocol"},
	{protocol.ErrVersionTooOld, "version-too-old"},
	{protocol.ErrActionNotOffered, "action-not-offered"},
	{protocol.ErrInvalidCode, "invalid-code"},
	{protocol.ErrInvalidState, "invalid-state"},
	{protocol.ErrInvalidAction, "invalid-action"},
	{protocol.ErrEmpty, "empty"},
	{protocol.ErrInvalidArgument, "invalid-argument"},
	{protocol.ErrStatusNotAllowed, "status-not-allowed"},
}

// ErrorWord returns the word for an error of the protocol; "" for any other.
func ErrorWord(err error) string {
	for _, e := range errorWords {
		if errors.Is(err, e.err) {
			return e.word
		}
	}
	return ""
}

// ParseActions reads a set of actions as it stands in a script.
func ParseActions(text string) (set protocol.Actions, ok bool) {
	return parseSet(text, protocol.ActionsAll)
}

// ParseStatus reads a status.
func ParseStatus(text string) (status protocol.Status, ok bool) {
	for s := range protocol.StatusAbort + 1 {
		if s.String() == text {
			return s, true
		}
	}
	return 0, false
}
