package mta

import (
	"fmt"

	"millstream/protocol"
)

// Terms are what an MTA and a milter agreed on. The zero Terms are those before the
// negotiation.
type Terms struct {
	Options protocol.Options
	Macros  protocol.MacroLists // that the milter asked for
}

// Offer returns what an MTA of today offers: all that the protocol has, but for
// packets of more than 64 KiB.
func Offer() protocol.Options {
	return protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
}

// Conclude returns the terms that the answer to an offer makes. The error is
// protocol.ErrNegotiation if the milter refuses the offer, and protocol.ErrProtocol
// if it asks for what was not offered, which Sendmail takes for a failure of the
// milter.
func Conclude(offer protocol.Options, a *protocol.Answer) (Terms, error) {
	offer = offer.Normal()
	asked := a.Offer
	switch {
	case a.Code != protocol.CodeNegotiate:
		return Terms{}, fmt.Errorf("%w: the milter answers %v", protocol.ErrNegotiation, a.Code)
	case asked.Version < protocol.MinVersion || asked.Version > offer.Version:
		return Terms{}, fmt.Errorf("%w: version %d asked for, %d offered", protocol.ErrProtocol, asked.Version, offer.Version)
	case !offer.Actions.Has(asked.Actions):
		return Terms{}, fmt.Errorf("%w: %v asked for, not offered", protocol.ErrProtocol, asked.Actions&^offer.Actions)
	case !offer.Steps.Has(asked.Steps):
		return Terms{}, fmt.Errorf("%w: %v asked for, not offered", protocol.ErrProtocol, asked.Steps&^offer.Steps)
	case !a.Macros.Empty() && !asked.Actions.Has(protocol.ActionSetSymbolList):
		return Terms{}, fmt.Errorf("%w: macros asked for without %v", protocol.ErrProtocol, protocol.ActionSetSymbolList)
	}
	return Terms{asked, a.Macros}, nil
}

// Sends reports whether a command is sent: whether the version that was agreed on
// has it, and the milter wants it. Before the negotiation all is sent.
func (t *Terms) Sends(code protocol.Code) bool {
	switch v := t.Options.Version; {
	case v == 0:
		return true
	case code == protocol.CodeUnknown && v < 3, code == protocol.CodeData && v < 4:
		return false
	}
	return t.Options.Steps&protocol.NoEvent(code) == 0
}

// Waits reports whether a command that is sent is answered.
func (t *Terms) Waits(code protocol.Code) bool {
	switch code {
	case protocol.CodeMacro, protocol.CodeAbort, protocol.CodeQuit, protocol.CodeQuitNewConnection:
		return false
	}
	return t.Options.Steps&protocol.NoReply(code) == 0
}

// value returns a header as it is sent: one space is left out before its value if
// milters are not to see it.
func (t *Terms) value(h protocol.View) protocol.View {
	if !t.Options.Steps.Has(protocol.StepHeaderLeadingSpace) && len(h) > 0 && h[0] == ' ' {
		return h[1:]
	}
	return h
}
