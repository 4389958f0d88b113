package script

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"millstream/protocol"
)

// A bareMilter is the least that makes a milter of package protocol: it takes one
// packet after the other, asks the filter of a script, and has all answers at once.
// There is nothing else in it: no handlers, no time, no other goroutine.
type bareMilter struct {
	script   *Script
	limit    int              // of a packet
	actions  protocol.Actions // asked for; 0 is all that are offered
	fallback protocol.Status  // for an answer that is not legal

	machine *protocol.Machine
	decoder protocol.Decoder
	macros  protocol.Macros
	granted protocol.Actions
	in, out []byte
	closed  bool
}

var _ Inside = (*bareMilter)(nil) // or its state is not looked at

// newBareMilter returns a milter whose filter is that of a script.
func newBareMilter(s *Script) (*bareMilter, error) {
	b := &bareMilter{
		script: s, limit: protocol.DefaultMaxPacketSize, fallback: protocol.StatusTempFail,
		machine: protocol.NewMachine(),
	}
	for _, c := range s.Config() {
		set := settings[c.Key]
		if set == nil || !set(b, c.Value) {
			return nil, fmt.Errorf("no setting %v", c)
		}
	}
	return b, nil
}

// settings has the settings of scripts that are not a session's own.
var settings = map[string]func(b *bareMilter, value string) (ok bool){
	"max-packet-size": func(b *bareMilter, value string) (ok bool) {
		n, err := strconv.Atoi(value)
		b.limit = n
		return err == nil
	},
	"actions": func(b *bareMilter, value string) (ok bool) {
		b.actions, ok = ParseActions(value)
		return ok
	},
	"failure-status": func(b *bareMilter, value string) (ok bool) {
		b.fallback, ok = ParseStatus(value)
		return ok
	},
}

// Send is [Peer].
func (b *bareMilter) Send(p []byte) error {
	b.in = append(b.in, p...)
	for !b.closed {
		code, body, n, err := protocol.Frame(b.in, b.limit)
		if err == nil && n == 0 {
			break
		}
		if err == nil {
			err = b.packet(code, body)
		}
		if err != nil {
			b.finish() // nothing more is answered
			break
		}
		b.in = slices.Delete(b.in, 0, n) // overwrites what was borrowed
	}
	return nil // whether the connection is closed is told by Receive
}

// Receive is [Peer].
func (b *bareMilter) Receive(time.Duration) ([]byte, error) {
	out := b.out
	b.out = nil
	if len(out) == 0 && b.closed {
		return nil, io.EOF
	}
	return out, nil
}

// Leave is [Peer].
func (b *bareMilter) Leave(bool) { b.finish() }

// finish ends the connection.
func (b *bareMilter) finish() {
	b.machine.Finish()
	b.closed = true
}

// State is [Inside].
func (b *bareMilter) State() protocol.State { return b.machine.State() }

// Events is [Inside].
func (*bareMilter) Events() []Event { return nil }

// Writes is [Inside].
func (*bareMilter) Writes() int { return 0 }

// Advance is [Inside].
func (*bareMilter) Advance(time.Duration) {}

// packet handles one packet. An error ends the connection.
func (b *bareMilter) packet(code protocol.Code, body protocol.View) error {
	cmd, err := b.decoder.Decode(code, body)
	if err != nil {
		return err
	}
	return b.command(cmd)
}

// command handles one command. One that gives up a message comes again when that
// is done with.
func (b *bareMilter) command(cmd protocol.Command) error {
	code := cmd.Code()
	turn, err := b.machine.Receive(code)
	if err != nil {
		return err
	}
	if turn.Aborts != protocol.StateInvalid {
		b.reply(protocol.CodeAbort, "", code)
		if code == protocol.CodeAbort {
			return nil
		}
		return b.command(cmd)
	}
	if m, ok := cmd.(*protocol.Macro); ok {
		b.macros.Define(m)
		return nil
	}
	b.macros.Arrive(code)
	switch {
	case turn.Pending:
		return b.ask(cmd)
	case code == protocol.CodeQuit:
		b.finish()
	case code == protocol.CodeQuitNewConnection:
		b.machine.Finish()
		b.macros.Reset()
		b.machine.Renew()
	case code == protocol.CodeAbort:
		b.macros.EndMessage(0)
	default:
		b.out = protocol.AppendReply(b.out, turn.Answer, nil)
		b.macros.Answered(code)
	}
	return nil
}

// ask has the filter answer a command.
func (b *bareMilter) ask(cmd protocol.Command) error {
	switch c := cmd.(type) {
	case *protocol.Negotiate:
		return b.negotiate(c.Offer)
	case *protocol.EndOfMessage:
		b.endOfMessage()
	default:
		b.reply(cmd.Code(), subject(cmd), 0)
	}
	return nil
}

// reply answers a command, or the abort that next makes of a message.
func (b *bareMilter) reply(code protocol.Code, subject string, next protocol.Code) {
	b.apply(code, b.perform(code, subject, nil), nil, next)
}

// apply makes an answer take effect, and writes it behind changes to the message.
func (b *bareMilter) apply(code protocol.Code, r Reply, changes []byte, next protocol.Code) {
	effect, err := b.machine.Apply(r.Status, b.fallback)
	text := smtpReply(r)
	if err != nil { // what came with an answer that is not legal goes with it
		text, changes = nil, nil
	}
	b.out = append(b.out, changes...)
	b.out = protocol.AppendReply(b.out, effect.Answer, text)
	b.macros.Answered(code)
	if effect.Ends {
		b.macros.EndMessage(next)
	}
}
