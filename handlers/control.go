package handlers

import (
	"context"
	"sync"

	"millstream/protocol"
)

// A Control is the other end of a Session: the state machine of a connection,
// and what its Session tells. Session actors and tests hold it; handlers never see
// it. But for what says otherwise, its methods are for the goroutine of the
// session.
type Control struct {
	common  *common
	conn    *Session // that of the Factory
	event   *Session // that of the event under way, or the last one
	msg     *Message // the end of the message under way
	watcher Watcher  // nil if nobody wants to know
	failed  bool     // the handler of the last event failed
	held    bool     // the goroutine of the session has mu, from Hold to Release
	closed  bool

	machine  protocol.Machine
	mu       sync.Mutex // what handlers may reach from other goroutines: what follows, closed and the machine
	known    known
	settings *settings // is not changed but replaced
	macros   protocol.Macros
	tally    *tally // nil outside a message
	rare     *rare  // nil if the session has none of it
}

// common is what sessions have in common. It does not change.
type common struct {
	base     context.Context
	limits   *ResultLimits
	listener string
	sessions func() int
}

// rare is what few sessions have.
type rare struct {
	private    private
	shelf      map[string]any
	skipped    []*member // that want no more of the body
	quarantine string    // the reason
	result     *Result   // in place of what was counted
}

// uncommon returns what few sessions have, to be changed. The caller holds the lock.
func (c *Control) uncommon() *rare {
	if c.rare == nil {
		c.rare = new(rare)
	}
	return c.rare
}

// seldom returns a copy of what few sessions have. The caller holds the lock.
func (c *Control) seldom() (r rare) {
	if c.rare != nil {
		r = *c.rare
	}
	return r
}

// NewControl returns the control of a new session. ctx is that of the session.
// limits may be nil, which is DefaultResultLimits.
func NewControl(ctx context.Context, f Facts, limits *ResultLimits) *Control {
	if limits == nil {
		limits = &DefaultResultLimits
	}
	c := &Control{common: &common{base: ctx, limits: limits}, machine: *protocol.NewMachine()}
	c.know(&f)
	return c
}

// Sibling returns the control of a new session that has in common with c what does not
// differ from one connection of a listener to the next. It takes less memory than one of
// NewControl. It may be called from any goroutine.
func (c *Control) Sibling(id uint64, peer protocol.Addr) *Control {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Control{
		common: c.common, settings: c.settings, machine: *protocol.NewMachine(), known: known{id: id, peer: peer},
	}
}

// Hold keeps everyone else from what is known of the session until Release, so that
// the methods from one call of a handler to the next need not do so each by itself.
// In between, what may be called from any goroutine must not be called: it would
// wait for ever. Call and Guard release by themselves.
func (c *Control) Hold() {
	if !c.held {
		c.mu.Lock()
		c.held = true
	}
}

// Release ends Hold, if it is not over.
func (c *Control) Release() {
	if c.held {
		c.held = false
		c.mu.Unlock()
	}
}

// lock is for methods of the goroutine of the session: there may be a Hold.
func (c *Control) lock() {
	if !c.held {
		c.mu.Lock()
	}
}

// unlock undoes lock.
func (c *Control) unlock() {
	if !c.held {
		c.unlockAlone()
	}
}

// unlockAlone is for unlock, which would be too large to be inlined where there mostly is
// a Hold.
//
//go:noinline
func (c *Control) unlockAlone() { c.mu.Unlock() }

// Machine returns the state machine of the session.
func (c *Control) Machine() *protocol.Machine { return &c.machine }

// Session returns the session, for a Factory.
func (c *Control) Session() *Session {
	if c.conn == nil {
		c.conn = c.newSession(c.common.base)
	}
	return c.conn
}

func (c *Control) newSession(ctx context.Context) *Session {
	return &Session{c: c, ctx: ctx}
}

// Begin starts an event and returns the Session to hand to its handler. The one
// before is over.
func (c *Control) Begin(ctx context.Context) *Session {
	c.lock()
	s := c.event
	if s != nil {
		s.end(ErrStaleResponse)
	}
	if s == nil || s.kept {
		s = c.newSession(ctx)
		c.event = s
	} else { // nobody may have kept it
		s.ctx, s.cancel, s.over = ctx, nil, nil
	}
	c.unlock()
	return s
}

// Over ends the event under way, with the cause for its context. Apply does so
// too; it is for an event that is given up, or that takes no answer.
func (c *Control) Over(cause error) {
	c.lock()
	defer c.unlock()
	if c.event != nil {
		c.event.end(cause)
	}
}

// Finish moves the session to its last state. No message can be changed any more.
func (c *Control) Finish() {
	c.lock()
	defer c.unlock()
	c.machine.Finish()
	c.closed = true
}

// Close clears what is kept for the connection and destroys the private value. The
// contexts of the session end.
func (c *Control) Close() {
	c.lock()
	c.dropMessage(0)
	c.macros.Reset()
	old := c.seldom().private
	c.rare = nil
	for _, s := range []*Session{c.event, c.conn} {
		if s != nil {
			s.end(ErrSessionClosed)
		}
	}
	c.conn, c.event = nil, nil
	c.unlock()
	old.release()
}

// Renew makes a closed session ready for another SMTP client on the same
// connection. The time-out, the packet buffer and what was agreed on stay.
func (c *Control) Renew() {
	c.lock()
	defer c.unlock()
	c.machine.Renew()
	c.closed = false
	k := &c.known
	k.host, k.client, k.helo = "", protocol.Addr{}, ""
}
