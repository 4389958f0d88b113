package mta

import (
	"fmt"

	"millstream/protocol"
)

// Send writes a command, and its macros first. It does not wait. Macros are
// written even if the command is not: MTAs do that.
func (c *Conn) Send(cmd protocol.Command, macros ...*protocol.Macro) error {
	for _, m := range macros {
		c.out = m.Append(c.out)
	}
	if err := c.gather(cmd); err != nil {
		return err
	}
	return c.flush()
}

// Do sends a command and reads to its final answer, if one was agreed on. That is
// valid until the next call. Changes are the answers before the final one,
// without progress; they are owned. Answers to what was only sent must have been
// read before.
func (c *Conn) Do(cmd protocol.Command, macros ...*protocol.Macro) (final protocol.Answer, changes []protocol.Answer, err error) {
	waits := c.Sends(cmd.Code()) && c.Waits(cmd.Code())
	if err := c.Send(cmd, macros...); err != nil || !waits {
		return protocol.Answer{}, nil, err
	}
	return c.await(cmd.Code())
}

// gather appends a command to what is to be written, if it is sent at all.
func (c *Conn) gather(cmd protocol.Command) error {
	if c.apart {
		if err := c.flush(); err != nil {
			return err
		}
	}
	code := cmd.Code()
	if !c.Sends(code) {
		return nil
	}
	switch code {
	case protocol.CodeBody, protocol.CodeUnknown, protocol.CodeMacro:
	case protocol.CodeQuitNewConnection:
		c.client, c.verdict, c.skipping = nil, Outcome{}, false
	default:
		c.skipping = false // that body is over
	}
	c.out = cmd.Append(c.out)
	return nil
}

// await reads the answers to a command, up to the final one.
func (c *Conn) await(cmd protocol.Code) (final protocol.Answer, changes []protocol.Answer, err error) {
	if err = c.nothingLeft(cmd); err != nil {
		return protocol.Answer{}, nil, err
	}
	for last := protocol.Code(0); ; last = final.Code {
		if final, err = c.read(); err != nil {
			return protocol.Answer{}, nil, c.unanswered(" to "+cmd.String(), err)
		}
		if final.IsFinal() {
			if err = c.judgeFinal(cmd, &final); err == nil {
				err = c.nothingLeft(cmd)
			}
			break
		}
		if err = c.judgeChange(cmd, final.Code); err == nil {
			err = adjacent(changes, final.Code, last)
		}
		if err != nil {
			break
		}
		if final.Code != protocol.CodeProgress {
			changes = append(changes, final.Clone())
		}
	}
	if err != nil {
		c.failed = true
		return protocol.Answer{}, nil, err
	}
	if cmd == protocol.CodeBody {
		c.skipping = final.Code == protocol.CodeSkip
	}
	return final, changes, nil
}

// judgeFinal checks that a may be the final answer to a command.
func (c *Conn) judgeFinal(cmd protocol.Code, a *protocol.Answer) error {
	s := a.Status()
	switch {
	case cmd == protocol.CodeNegotiate: // Negotiate says more about it
		return nil
	case s == protocol.StatusAccept && cmd == protocol.CodeUnknown: // of no effect, and MTAs take it
		return nil
	case s == protocol.StatusDefault, !s.Answers(cmd, 0):
		return outOfPlace(cmd, a.Code)
	case s == protocol.StatusSkip && c.agreed.Steps&protocol.StepSkip == 0:
		return fmt.Errorf("%w: %v was not agreed on", protocol.ErrProtocol, a.Code)
	}
	return nil
}

// judgeChange checks that an answer which is not final may come to a command.
func (c *Conn) judgeChange(cmd, change protocol.Code) error {
	action := protocol.ActionFor(change)
	switch {
	case cmd != protocol.CodeEndOfMessage, action == 0 && change != protocol.CodeProgress:
		return outOfPlace(cmd, change)
	case !c.agreed.Actions.Has(action):
		return fmt.Errorf("%w: %v was not agreed on", protocol.ErrProtocol, change)
	}
	return nil
}

// adjacent checks that the pieces of a new body come without anything between
// them: Postfix takes what follows for the mistake of an administrator.
func adjacent(changes []protocol.Answer, change, last protocol.Code) error {
	const body = protocol.CodeReplaceBody
	if change != body || last == body {
		return nil
	}
	for i := range changes {
		if changes[i].Code == body {
			return fmt.Errorf("%w: %v again after %v", protocol.ErrProtocol, body, last)
		}
	}
	return nil
}

func outOfPlace(cmd, answer protocol.Code) error {
	return fmt.Errorf("%w: %v answers %v", protocol.ErrProtocol, answer, cmd)
}

// nothingLeft checks that the milter sent nothing but its answer to a command, as
// far as it has come.
func (c *Conn) nothingLeft(cmd protocol.Code) error {
	if c.r == c.w {
		return nil
	}
	c.failed = true
	return fmt.Errorf("%w: %d bytes beside the answer to %v", protocol.ErrProtocol, c.w-c.r, cmd)
}
