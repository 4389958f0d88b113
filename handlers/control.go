package handlers

import (
	"context"
	"sync"
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
	Result           *Result // nil outside a message
	QuarantineReason string
	Timeout          time.Duration
	PacketBuffer     int
}

// A Control is the other end of a Session: the state machine of a connection,
// and what its Session tells. Session actors and tests hold it; handlers never see
// it. But for what says otherwise, its methods are for the goroutine of the
// session.
type Control struct {
	limits  *ResultLimits
	base    context.Context
	conn    *Session // that of the Factory
	event   *Session // that of the event under way, or the last one
	msg     *Message // the end of the message under way
	machine protocol.Machine
	macros  protocol.Macros

	mu      sync.Mutex // what handlers may reach from other goroutines
	facts   Facts
	private private
	shelf   map[string]any
	skipped []*member
	tally   *tally
	closed  bool
}

// NewControl returns the control of a new session. ctx is that of the session.
// limits may be nil, which is DefaultResultLimits.
func NewControl(ctx context.Context, f Facts, limits *ResultLimits) *Control {
	if limits == nil {
		limits = &DefaultResultLimits
	}
	c := &Control{limits: limits, base: ctx, machine: *protocol.NewMachine(), facts: f}
	if c.facts.Macros == nil {
		c.facts.Macros = &c.macros
	}
	c.sync()
	return c
}

// Machine returns the state machine of the session.
func (c *Control) Machine() *protocol.Machine { return &c.machine }

// sync makes the facts those of the machine. The caller holds the lock, or is the
// only one to know c.
func (c *Control) sync() {
	f, m := &c.facts, &c.machine
	f.State, f.LastState, f.Status, f.InMessage = m.State(), m.LastState(), m.Status(), m.InMessage()
}

// Session returns the session, for a Factory.
func (c *Control) Session() *Session {
	if c.conn == nil {
		c.conn = c.newSession(c.base)
	}
	return c.conn
}

func (c *Control) newSession(ctx context.Context) *Session {
	s := &Session{c: c, parent: ctx}
	s.shelf.s = s
	return s
}

// Begin starts an event and returns the Session to hand to its handler. The one
// before is over.
func (c *Control) Begin(ctx context.Context) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.event
	switch {
	case s == nil || s.kept:
		if s != nil && !s.over {
			s.end(ErrStaleResponse)
		}
		s = c.newSession(ctx)
		c.event = s
	default: // nobody may have kept it
		if s.cancel != nil {
			s.cancel(ErrStaleResponse)
		}
		s.parent, s.ctx, s.cancel, s.over = ctx, nil, nil, false
	}
	return s
}

// Over ends the event under way, with the cause for its context.
func (c *Control) Over(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.event != nil && !c.event.over {
		c.event.end(cause)
	}
}

// Facts returns what is known of the session. It may be called from any goroutine.
func (c *Control) Facts() Facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts
}

// Timeout returns how long the MTA may be silent; 0 means for ever.
func (c *Control) Timeout() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts.Timeout
}

// Update changes the facts, without a check and without an event. A new state, a
// new status or new options move the state machine too. It may be called from any
// goroutine that is not a handler's.
func (c *Control) Update(f func(*Facts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.facts
	if c.facts.Result == nil {
		c.facts.Result = c.result()
	}
	made := c.facts.Result
	f(&c.facts)
	if c.facts.Result == made {
		c.facts.Result = before.Result
	}
	if after := c.facts; after.State != before.State || after.Status != before.Status {
		c.machine.Set(after.State, after.Status)
		c.sync()
	}
	if c.facts.Options != before.Options {
		c.machine.Agreed(protocol.Agreement{Granted: c.facts.Options, Wire: c.facts.Options})
	}
}

// Receive moves the session on by a command: its state, its macros, and what is
// known of the client and the message. now is the time at which a message begins.
// The error is that of [protocol.Machine.Receive].
func (c *Control) Receive(cmd protocol.Command, now time.Time) (protocol.Turn, error) {
	code := cmd.Code()
	c.mu.Lock()
	defer c.mu.Unlock()
	if macro, ok := cmd.(*protocol.Macro); ok {
		c.facts.Macros.Define(macro)
		return protocol.Turn{Event: true}, nil
	}
	state := c.machine.State()
	turn, err := c.machine.Receive(code)
	if err != nil {
		return turn, err
	}
	c.sync()
	switch {
	case turn.Aborts != protocol.StateInvalid:
		if c.tally != nil {
			c.tally.state = state
		}
	case c.facts.State != state || turn.Pending:
		c.arrive(cmd, turn, now)
	case c.tally != nil && code == protocol.CodeBody: // a piece that was skipped
		c.tally.command(cmd, c.limits)
	}
	return turn, nil
}

// arrive notes what a command in order says.
func (c *Control) arrive(cmd protocol.Command, turn protocol.Turn, now time.Time) {
	f := &c.facts
	f.Macros.Arrive(cmd.Code())
	if turn.Begins {
		c.tally = newTally(now)
	}
	switch e := cmd.(type) {
	case *protocol.Negotiate:
		f.Macros.Reset()
	case *protocol.Connect:
		f.Host, f.Client, f.Helo = e.Host.String(), e.Addr, ""
	case *protocol.Helo:
		if string(e.Name) != f.Helo {
			f.Helo = e.Name.String()
		}
	case *protocol.RcptTo:
		f.RcptRefused = c.refused()
	case *protocol.EndOfMessage:
		f.QuarantineReason = ""
	}
	if c.tally != nil && c.machine.InMessage() {
		c.tally.state = c.machine.State()
		c.tally.command(cmd, c.limits)
	}
}

// refused reports whether the MTA refused the recipient that it sends.
func (c *Control) refused() bool {
	if c.facts.Options.Steps&protocol.StepRcptRejected == 0 {
		return false
	}
	mailer, _ := c.facts.Macros.Lookup("rcpt_mailer")
	return mailer == "error"
}

// Agree sets what was negotiated.
func (c *Control) Agree(a protocol.Agreement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.machine.Agreed(a)
	c.facts.Options = a.Granted
}

// Apply answers the command last received, which took handlers the given time.
// Its results are those of [protocol.Machine.Apply].
func (c *Control) Apply(code protocol.Code, s, fallback protocol.Status, took time.Duration) (protocol.Effect, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ev := c.event; ev != nil && !ev.over && (ev.kept || ev.cancel != nil) {
		ev.end(ErrStaleResponse)
	}
	e, err := c.machine.Apply(s, fallback)
	c.sync()
	c.facts.Macros.Answered(code)
	t := c.tally
	if t == nil {
		return e, err
	}
	t.handlers += took
	if code == protocol.CodeAbort {
		t.status = protocol.StatusAbort
		return e, err
	}
	if code == protocol.CodeRcptTo {
		t.answer(e.Status, c.facts.RcptRefused, c.limits)
	}
	t.status = e.Status
	t.state = c.machine.State()
	return e, err
}

// result returns a copy of what is known of the message. The caller holds the
// lock.
func (c *Control) result() *Result {
	switch {
	case c.facts.Result != nil:
		r := *c.facts.Result
		return &r
	case c.tally != nil:
		return c.tally.result(c.facts.QuarantineReason)
	}
	return nil
}

// Result ends the count of a message and returns what became of it.
func (c *Control) Result(now time.Time) *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tally != nil {
		c.tally.end = now
	}
	return c.result()
}

// EndMessage clears what is kept for a message. The macros of next, the command
// that gave the message up to begin another one, stay; it is 0 if there is none.
func (c *Control) EndMessage(next protocol.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropMessage(next)
}

func (c *Control) dropMessage(next protocol.Code) {
	c.facts.Macros.EndMessage(next)
	c.facts.QuarantineReason, c.facts.Result, c.facts.RcptRefused = "", nil, false
	c.skipped = c.skipped[:0]
	c.shelf = nil
	if c.tally != nil {
		c.tally.release()
		c.tally = nil
	}
}

// Finish moves the session to its last state. Handlers can change nothing more,
// but may still ask.
func (c *Control) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.machine.Finish()
	c.sync()
	c.closed = true
}

// Close clears what is kept for the connection and destroys the private value. The
// contexts of the session end.
func (c *Control) Close() {
	c.mu.Lock()
	c.dropMessage(0)
	c.facts.Macros.Reset()
	old := c.private
	c.private = private{}
	for _, s := range []*Session{c.event, c.conn} {
		if s != nil && !s.over {
			s.end(ErrSessionClosed)
		}
	}
	c.conn, c.event = nil, nil
	c.mu.Unlock()
	old.release()
}

// Renew makes a closed session ready for another SMTP client on the same
// connection. The time-out, the packet buffer and what was agreed on stay.
func (c *Control) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.machine.Renew()
	c.closed = false
	f := &c.facts
	f.Host, f.Client, f.Helo = "", protocol.Addr{}, ""
	c.sync()
}
