package handlers

import (
	"cmp"
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
	Macros           *protocol.Macros // those of the session; what is given is copied
	Result           *Result          // in place of what was counted; nil for that
	QuarantineReason string
	Timeout          time.Duration
	PacketBuffer     int
}

// known is what is kept of the facts. The others are those of the machine, or of few
// sessions.
type known struct {
	id           uint64
	peer, client protocol.Addr
	host, helo   string
	options      protocol.Options
	rcptRefused  bool
}

// Facts returns what is known of the session. It may be called from any goroutine.
func (c *Control) Facts() Facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts()
}

// facts is Facts for who holds the lock.
func (c *Control) facts() Facts {
	common, k, m, r := c.common, &c.known, &c.machine, c.seldom()
	return Facts{
		ID: k.id, Peer: k.peer, Listener: common.listener, Sessions: common.sessions,
		State: m.State(), LastState: m.LastState(), Status: m.Status(), InMessage: m.InMessage(),
		Options: k.options, Host: k.host, Client: k.client, Helo: k.helo, RcptRefused: k.rcptRefused,
		Macros: &c.macros, Result: r.result, QuarantineReason: r.quarantine,
		Timeout: c.settings.timeout, PacketBuffer: c.settings.packetBuffer,
	}
}

// know takes over facts, but for those of the machine. The caller holds the lock, or is
// the only one to know c.
func (c *Control) know(f *Facts) {
	c.common = &common{c.common.base, c.common.limits, f.Listener, f.Sessions}
	c.settings = &settings{f.Timeout, f.PacketBuffer}
	c.known = known{f.ID, f.Peer, f.Client, f.Host, f.Helo, f.Options, f.RcptRefused}
	if f.Macros != nil {
		c.macros = *f.Macros
	}
	if f.QuarantineReason != "" || f.Result != nil || c.rare != nil {
		r := c.uncommon()
		r.quarantine, r.result = f.QuarantineReason, f.Result
	}
}

// Macro returns the value of a macro, newest stage first, or "". It may be called from
// any goroutine.
func (c *Control) Macro(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, _ := c.macros.Lookup(name)
	return value
}

// QueueID is [Session.QueueID]. It may be called from any goroutine.
func (c *Control) QueueID() string { return cmp.Or(c.Macro("i"), "NOQUEUE") }

// Timeout returns how long the MTA may be silent; 0 means for ever.
func (c *Control) Timeout() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings.timeout
}

// Update changes the facts, without a check and without an event. A new state, a
// new status or new options move the state machine too; the last state and
// InMessage follow from a new state. It may be called from any goroutine that is
// not a handler's.
func (c *Control) Update(f func(*Facts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.facts()
	after := before
	f(&after)
	c.know(&after)
	if after.State != before.State || after.Status != before.Status {
		c.machine.Set(after.State, after.Status)
		c.recount()
	}
	if after.Options != before.Options {
		c.machine.Agreed(protocol.Agreement{Granted: after.Options, Wire: after.Options})
	}
}

// recount makes the count of the message fit the state that was set.
func (c *Control) recount() {
	m := &c.machine
	switch t := c.tally; {
	case m.InMessage() && t == nil:
		c.tally = newTally(time.Now())
		c.tally.state, c.tally.status = m.State(), m.Status()
	case m.InMessage():
		t.state = m.State()
	case t != nil:
		c.tally = nil
		t.release()
	}
}
