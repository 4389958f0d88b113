package handlers

import (
	"time"

	"millstream/protocol"
)

// Define is Receive for macros.
func (c *Control) Define(m *protocol.Macro) {
	c.lock()
	c.macros.Define(m)
	c.unlock()
}

// Receive moves the session on by a command: its state, its macros, and what is
// known of the client and the message. now is the time at which a message begins.
// The error is that of [protocol.Machine.Receive].
func (c *Control) Receive(cmd protocol.Command, now time.Time) (protocol.Turn, error) {
	if macro, ok := cmd.(*protocol.Macro); ok {
		c.Define(macro)
		return protocol.Turn{}, nil
	}
	code := cmd.Code()
	c.lock()
	turn, err := c.machine.Receive(code)
	if err == nil && turn.Aborts == protocol.StateInvalid {
		if turn.Begins || c.tally == nil && c.machine.InMessage() {
			c.tally = newTally(now)
		}
		c.arrive(cmd, code)
		if !turn.Pending {
			c.settle(code, protocol.StatusContinue)
		}
	}
	c.unlock()
	return turn, err
}

// arrive notes what a command in order says.
func (c *Control) arrive(cmd protocol.Command, code protocol.Code) {
	k := &c.known
	c.macros.Arrive(code)
	k.rcptRefused = false
	switch e := cmd.(type) {
	case *protocol.Connect:
		k.host, k.client, k.helo = e.Host.String(), e.Addr, ""
	case *protocol.Helo:
		switch string(e.Name) {
		case k.helo:
		case k.host: // one string is enough
			k.helo = k.host
		default:
			k.helo = e.Name.String()
		}
	case *protocol.RcptTo:
		k.rcptRefused = c.refused()
	case *protocol.EndOfMessage:
		if c.rare != nil {
			c.rare.quarantine = ""
		}
	}
	if c.machine.InMessage() {
		c.tally.state = c.machine.State()
		c.tally.command(cmd, c.common.limits)
	}
}

// refused reports whether the MTA refused the recipient that it sends.
func (c *Control) refused() bool {
	if !c.known.options.Steps.Has(protocol.StepRcptRejected) {
		return false
	}
	mailer, _ := c.macros.Lookup("rcpt_mailer")
	return mailer == "error"
}

// settle notes that a command has its answer.
func (c *Control) settle(code protocol.Code, s protocol.Status) {
	c.macros.Answered(code)
	if code == protocol.CodeRcptTo && c.tally != nil {
		c.tally.answer(s, c.known.rcptRefused, c.common.limits)
	}
}

// Agree sets what was negotiated.
func (c *Control) Agree(a protocol.Agreement) {
	c.lock()
	defer c.unlock()
	c.machine.Agreed(a)
	c.known.options = a.Granted
}

// Apply answers the command last received, which took handlers the given time, and
// ends its event. s is known: not Progress. The results are those of
// [protocol.Machine.Apply].
func (c *Control) Apply(code protocol.Code, s, fallback protocol.Status, took time.Duration) (protocol.Effect, error) {
	c.lock()
	if c.event != nil {
		c.event.end(ErrStaleResponse)
	}
	e, err := c.machine.Apply(s, fallback)
	c.settle(code, e.Status)
	if t := c.tally; t != nil {
		t.handlers += took
		if code == protocol.CodeAbort { // its state is that of the message
			t.status = protocol.StatusAbort
		} else {
			t.status, t.state = e.Status, c.machine.State()
			t.quarantined = t.quarantined && err == nil // the changes go with the answer that was not legal
		}
	}
	c.unlock()
	return e, err
}

// Decided notes whose answer has ended the message or refused a recipient, and what the
// SMTP client is to see of it; text may be nil. The last one counts.
func (c *Control) Decided(by string, text *protocol.SMTPReply) {
	c.lock()
	defer c.unlock()
	if c.tally != nil {
		c.tally.by, c.tally.reply = by, text
	}
}

// result returns a copy of what is known of the message; nil outside a message. The
// caller holds the lock.
func (c *Control) result() *Result {
	switch kept := c.seldom(); {
	case kept.result != nil:
		r := *kept.result
		return &r
	case c.tally != nil:
		return c.tally.result(kept.quarantine)
	}
	return nil
}

// Result ends the count of a message and returns what became of it.
func (c *Control) Result(now time.Time) *Result {
	c.lock()
	defer c.unlock()
	if c.tally == nil {
		c.tally = newTally(now)
	}
	c.tally.end = now
	return c.result()
}

// An Outcome is what a session looks at of each message: what of a [Result] costs
// nothing to tell.
type Outcome struct {
	Status      protocol.Status
	Quarantined bool

	HeadersCut, RecipientsCut bool // there were more than are kept

	HandlerTime time.Duration
}

// Outcome returns what is known of the message under way, or of that which has just
// ended; ok is false if there is none.
func (c *Control) Outcome() (o Outcome, ok bool) {
	c.lock()
	defer c.unlock()
	t := c.tally
	if t == nil {
		return o, false
	}
	return Outcome{t.status, t.quarantined, t.headersCut, t.rcptsCut, t.handlers}, true
}

// EndMessage clears what is kept for a message. The macros of next, the command
// that gave the message up to begin another one, stay; it is 0 if there is none.
func (c *Control) EndMessage(next protocol.Code) {
	c.lock()
	defer c.unlock()
	c.dropMessage(next)
}

func (c *Control) dropMessage(next protocol.Code) {
	c.macros.EndMessage(next)
	c.known.rcptRefused = false
	if r := c.rare; r != nil {
		r.quarantine, r.result, r.shelf, r.skipped = "", nil, nil, r.skipped[:0]
	}
	if c.tally != nil {
		c.tally.release()
		c.tally = nil
	}
}

// resetMessage clears what the message has said so far. It goes on.
func (c *Control) resetMessage() {
	c.macros.EndMessage(0)
	if r := c.rare; r != nil {
		r.result, r.shelf = nil, nil
	}
	if t := c.tally; t != nil {
		c.tally = newTally(t.start)
		c.tally.state, c.tally.status, c.tally.handlers = t.state, t.status, t.handlers
		t.release()
	}
}
