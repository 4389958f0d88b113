package handlers

import (
	"time"

	"millstream/protocol"
)

// Facts are what a Session tells. Whoever runs the session keeps them; a test
// writes them out.
type Facts struct {
	ID               uint64
	Peer             protocol.Addr
	Listener         string
	Sessions         func() int
	State, LastState protocol.State
	Status           protocol.Status
	InMessage        bool
	Options          protocol.Options
	Host             string
	Client           protocol.Addr
	Helo             string
	RcptRefused      bool
	Macros           *protocol.Macros
	Result           *Result // in place of what was counted; nil for that
	QuarantineReason string
	Timeout          time.Duration
	PacketBuffer     int
}

// sync makes the facts those of the machine. The caller holds the lock, or is the
// only one to know c.
func (c *Control) sync() {
	f, m := &c.facts, &c.machine
	f.State, f.LastState, f.Status, f.InMessage = m.State(), m.LastState(), m.Status(), m.InMessage()
}

// Facts returns what is known of the session. It may be called from any goroutine.
func (c *Control) Facts() Facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts
}

// Macro returns the value of a macro, newest stage first, or "". It may be called from
// any goroutine.
func (c *Control) Macro(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, _ := c.facts.Macros.Lookup(name)
	return value
}

// Timeout returns how long the MTA may be silent; 0 means for ever.
func (c *Control) Timeout() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts.Timeout
}

// Update changes the facts, without a check and without an event. A new state, a
// new status or new options move the state machine too; the last state and
// InMessage follow from a new state. It may be called from any goroutine that is
// not a handler's.
func (c *Control) Update(f func(*Facts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.facts
	f(&c.facts)
	after := &c.facts
	if after.State != before.State || after.Status != before.Status {
		c.machine.Set(after.State, after.Status)
		c.sync()
		c.recount()
	}
	if after.Options != before.Options {
		c.machine.Agreed(protocol.Agreement{Granted: after.Options, Wire: after.Options})
	}
}

// recount makes the count of the message fit the state that was set.
func (c *Control) recount() {
	switch t := c.tally; {
	case c.facts.InMessage && t == nil:
		c.tally = newTally(time.Now())
		c.tally.state, c.tally.status = c.facts.State, c.facts.Status
	case c.facts.InMessage:
		t.state = c.facts.State
	case t != nil:
		c.tally = nil
		t.release()
	}
}
