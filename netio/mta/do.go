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
	if c.dialect == Sendmail {
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
	for x := (Exchange{Command: cmd}); ; {
		if final, err = c.read(); err != nil {
			return protocol.Answer{}, nil, c.unanswered(" to "+cmd.String(), err)
		}
		last, err := x.Answer(&c.terms, &final)
		if err == nil && last {
			err = c.nothingLeft(cmd)
		}
		switch {
		case err != nil:
			c.failed = true
			return protocol.Answer{}, nil, err
		case last:
			if cmd == protocol.CodeBody {
				c.skipping = final.Code == protocol.CodeSkip
			}
			return final, changes, nil
		case final.Code != protocol.CodeProgress:
			changes = append(changes, final.Clone())
		}
	}
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
