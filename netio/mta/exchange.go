package mta

import (
	"fmt"

	"millstream/protocol"
)

// An Exchange is a command and the answers to it, as far as they have come. It is
// as strict as MTAs are.
type Exchange struct {
	Command protocol.Code

	body bool          // a new body has begun
	last protocol.Code // the answer before
}

// Answer judges the next answer and reports whether it is the final one. The error
// is protocol.ErrProtocol for one that may not come where it comes, or that was not
// agreed on.
func (x *Exchange) Answer(t *Terms, a *protocol.Answer) (final bool, err error) {
	if a.IsFinal() {
		return true, x.judgeFinal(t, a)
	}
	if err = x.judgeChange(t, a.Code); err == nil {
		x.last = a.Code
	}
	return false, err
}

// judgeFinal checks that a may be the final answer.
func (x *Exchange) judgeFinal(t *Terms, a *protocol.Answer) error {
	s := a.Status()
	switch {
	case x.Command == protocol.CodeNegotiate: // Conclude says more about it
		return nil
	case s == protocol.StatusAccept && x.Command == protocol.CodeUnknown: // of no effect, and MTAs take it
		return nil
	case s == protocol.StatusDefault, !s.Answers(x.Command, 0):
		return x.outOfPlace(a.Code)
	case s == protocol.StatusSkip && t.Options.Steps&protocol.StepSkip == 0:
		return fmt.Errorf("%w: %v was not agreed on", protocol.ErrProtocol, a.Code)
	}
	return nil
}

// judgeChange checks that an answer which is not final may come. The pieces of a new
// body must come without anything between them: Postfix takes what follows for the
// mistake of an administrator.
func (x *Exchange) judgeChange(t *Terms, change protocol.Code) error {
	const body = protocol.CodeReplaceBody
	action := protocol.ActionFor(change)
	switch {
	case x.Command != protocol.CodeEndOfMessage, action == 0 && change != protocol.CodeProgress:
		return x.outOfPlace(change)
	case !t.Options.Actions.Has(action):
		return fmt.Errorf("%w: %v was not agreed on", protocol.ErrProtocol, change)
	case change == body && x.body && x.last != body:
		return fmt.Errorf("%w: %v again after %v", protocol.ErrProtocol, body, x.last)
	}
	x.body = x.body || change == body
	return nil
}

func (x *Exchange) outOfPlace(answer protocol.Code) error {
	return fmt.Errorf("%w: %v answers %v", protocol.ErrProtocol, answer, x.Command)
}
