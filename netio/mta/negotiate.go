package mta

import (
	"fmt"

	"millstream/protocol"
)

// Offer returns what an MTA of today offers: all that the protocol has, but for
// packets of more than 64 KiB.
func Offer() protocol.Options {
	return protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
}

// Negotiate offers and returns what the milter asks for, and the macros it wants.
// The error is protocol.ErrNegotiation if the milter refuses the offer, and
// protocol.ErrProtocol if it asks for what was not offered, which Sendmail takes
// for a failure of the milter.
func (c *Conn) Negotiate(offer protocol.Options) (protocol.Options, protocol.MacroLists, error) {
	a, _, err := c.Do(&protocol.Negotiate{Offer: offer})
	if err == nil {
		err = judgeOffer(offer.Normal(), &a)
	}
	if err != nil {
		c.failed = true
		return protocol.Options{}, protocol.MacroLists{}, err
	}
	c.agreed, c.lists = a.Offer, a.Macros
	return a.Offer, a.Macros, nil
}

// judgeOffer checks the answer to an offer.
func judgeOffer(offer protocol.Options, a *protocol.Answer) error {
	asked := a.Offer
	switch {
	case a.Code != protocol.CodeNegotiate:
		return fmt.Errorf("%w: the milter answers %v", protocol.ErrNegotiation, a.Code)
	case asked.Version < protocol.MinVersion || asked.Version > offer.Version:
		return fmt.Errorf("%w: version %d asked for, %d offered", protocol.ErrProtocol, asked.Version, offer.Version)
	case !offer.Actions.Has(asked.Actions):
		return fmt.Errorf("%w: %v asked for, not offered", protocol.ErrProtocol, asked.Actions&^offer.Actions)
	case !offer.Steps.Has(asked.Steps):
		return fmt.Errorf("%w: %v asked for, not offered", protocol.ErrProtocol, asked.Steps&^offer.Steps)
	case !a.Macros.Empty() && !asked.Actions.Has(protocol.ActionSetSymbolList):
		return fmt.Errorf("%w: macros asked for without %v", protocol.ErrProtocol, protocol.ActionSetSymbolList)
	}
	return nil
}

// Options returns what was agreed on; the zero Options before the negotiation.
func (c *Conn) Options() protocol.Options { return c.agreed }

// Sends reports whether a command is sent: whether the version that was agreed on
// has it, the milter wants it, and has not asked to be spared the rest of the body.
// Before the negotiation all is sent.
func (c *Conn) Sends(code protocol.Code) bool {
	switch v := c.agreed.Version; {
	case v == 0:
		return true
	case code == protocol.CodeUnknown && v < 3, code == protocol.CodeData && v < 4:
		return false
	case code == protocol.CodeBody && c.skipping:
		return false
	}
	return c.agreed.Steps&protocol.NoEvent(code) == 0
}

// Waits reports whether a command that is sent is answered.
func (c *Conn) Waits(code protocol.Code) bool {
	switch code {
	case protocol.CodeMacro, protocol.CodeAbort, protocol.CodeQuit, protocol.CodeQuitNewConnection:
		return false
	}
	return c.agreed.Steps&protocol.NoReply(code) == 0
}
