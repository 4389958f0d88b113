package handlers

import (
	"slices"

	"millstream/protocol"
)

// An Outlet takes the changes of a message on their way to the MTA. Whoever runs
// the session is one.
type Outlet interface {
	// Flush takes packets to be written, in order, and keeps the slice. It does not
	// block, and may be called from any goroutine.
	Flush(packets []byte)

	// Wait blocks while too much is on its way. It is called from goroutines that
	// may block.
	Wait()
}

// bodyRun is how far the new body has come. Postfix takes a body that goes on
// after another change for a fault of the milter.
type bodyRun uint8

const (
	bodyNone bodyRun = iota
	bodyOpen
	bodyClosed
)

// change makes one change: encode appends its packet, and note keeps it for the
// result of the message.
func (m *Message) change(code protocol.Code, empty bool, encode func([]byte) ([]byte, error), note func(*tally)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails(code, empty) {
		return
	}
	packets, err := encode(m.packets)
	if err != nil {
		m.fail(code, err)
		return
	}
	m.packets = packets
	if code == protocol.CodeReplaceBody {
		m.body = bodyOpen
	} else {
		m.closeBody()
	}
	m.c.mu.Lock()
	if t := m.counts(); t != nil {
		note(t)
	}
	limit := m.c.settings.packetBuffer
	m.c.mu.Unlock()
	if len(m.packets) > limit {
		m.flush()
	}
}

// progress writes what was gathered and the request to wait on.
func (m *Message) progress() {
	m.closeBody()
	m.packets = protocol.AppendProgress(m.packets)
	m.flush()
}

func (m *Message) closeBody() {
	if m.body == bodyOpen {
		m.body = bodyClosed
	}
}

// flush hands over what was gathered. The outlet keeps the bytes, so what follows
// has bytes of its own.
func (m *Message) flush() {
	if len(m.packets) > 0 {
		m.out.Flush(m.packets)
		m.packets = nil
	}
}

// fails reports whether no change can be made, and keeps the reason.
func (m *Message) fails(code protocol.Code, empty bool) bool {
	if m.err != nil {
		return true
	}
	m.c.mu.Lock()
	closed, granted := m.c.closed, m.c.known.options.Actions
	m.c.mu.Unlock()
	var err error
	switch {
	case closed:
		err = ErrSessionClosed
	case empty:
		err = protocol.ErrEmpty
	case m.answered:
		err = protocol.ErrInvalidState
	case !granted.Has(protocol.ActionFor(code)):
		err = protocol.ErrInvalidAction
	case code == protocol.CodeReplaceBody && m.body == bodyClosed:
		err = ErrBodyInterleaved
	default:
		return false
	}
	m.fail(code, err)
	return true
}

// fail keeps the error of a change.
func (m *Message) fail(code protocol.Code, err error) {
	state := m.c.Facts().State
	m.err = &OpError{Op: code.String(), State: state, Need: protocol.ActionFor(code), Err: err}
}

// isEmpty reports whether an address, or one of its parameters, is missing.
func isEmpty(addr string, params []string) bool { return addr == "" || slices.Contains(params, "") }

// setBlocking says that the handler of m may block now, or no longer. m may be
// nil.
func (m *Message) setBlocking(yes bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocking = yes
}

// Message returns the event at the end of a message. chunk is owned. Its changes
// are gathered in room, which may be nil, and go to out, from any goroutine.
func (c *Control) Message(chunk protocol.View, out Outlet, room []byte) *Message {
	c.msg = &Message{c: c, chunk: chunk, out: out, packets: room[:0]}
	return c.msg
}

// Conclude ends the changes to a message and returns the packets not yet flushed,
// quarantine included: nobody else has them or their room any more. There are none if
// the handler failed or the event is over, and if failed: then a change could not be
// made. The error says why, or why a quarantine was left out.
func (c *Control) Conclude(m *Message) (packets []byte, failed bool, err error) {
	c.msg = nil
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answered = true
	packets, m.packets = m.packets, nil
	if m.err != nil {
		return nil, true, m.err
	}
	c.lock()
	defer c.unlock()
	if c.failed || c.event != nil && c.event.over != nil {
		return nil, false, nil
	}
	reason := c.seldom().quarantine
	if reason == "" {
		return packets, false, nil
	}
	const need = protocol.ActionQuarantine
	quarantined, err := protocol.AppendQuarantine(packets, reason)
	if !c.known.options.Actions.Has(need) {
		err = protocol.ErrInvalidAction
	}
	if err != nil { // it was set by hand
		return packets, false, &OpError{protocol.CodeQuarantine.String(), c.machine.State(), need, err}
	}
	if c.tally != nil {
		c.tally.quarantined = true
	}
	return quarantined, false, nil
}

// Prolong asks the MTA to wait on for m, unless its new body is under way: every
// piece of that does so by itself, so that what was gathered of it is written.
func (c *Control) Prolong(m *Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.answered:
	case m.body == bodyOpen:
		m.flush()
	default:
		m.progress()
	}
}
