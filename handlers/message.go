package handlers

import (
	"io"
	"sync"

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

// A Message is the event at the end of a message, and the only place from which
// a message can be changed. Changes go out in the order of the calls.
//
// As with a bufio.Writer the first error sticks: later changes do nothing, and
// unless the handler takes the error with ClearErr, the session answers its
// failure status, so that no message passes half changed. Errors are
// [*OpError]: ErrInvalidAction for what was not agreed on, ErrEmpty and
// ErrInvalidArgument for values that cannot be sent, ErrInvalidState after the
// answer, ErrSessionClosed after the connection.
//
// A Message is owned, and good until it is answered. Its methods may be called
// from any goroutine.
type Message struct {
	c     *Control
	out   Outlet
	chunk protocol.View

	mu       sync.Mutex // taken before that of c
	packets  []byte     // not flushed yet
	err      error
	body     bodyRun
	answered bool
	blocking bool      // its handler runs where it may block
	space    [192]byte // the first packets
}

// bodyRun is how far the new body has come. Postfix takes a body that goes on
// after another change for a fault of the milter.
type bodyRun uint8

const (
	bodyNone bodyRun = iota
	bodyOpen
	bodyClosed
)

// Chunk returns the last piece of the body if it came with the event. It is nil
// with every MTA of today.
func (m *Message) Chunk() protocol.View { return m.chunk }

// Can reports whether all of want were agreed on.
func (m *Message) Can(want protocol.Actions) bool {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	return m.c.facts.Options.Actions.Has(want)
}

// Err returns the first error of a change.
func (m *Message) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// ClearErr returns what Err returns and forgets it. It is for a filter that can
// do without the change that failed.
func (m *Message) ClearErr() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.err
	m.err = nil
	return err
}

// AddHeader adds a header after all others. It needs ActionAddHeaders, as does
// InsertHeader. Lines of a value are folded with LF and white space.
func (m *Message) AddHeader(name, value string) {
	m.change(protocol.CodeAddHeader, name == "", func(dst []byte) ([]byte, error) {
		return protocol.AppendAddHeader(dst, name, value)
	}, func(t *tally) { t.added = append(t.added, Field{name, value}) })
}

// InsertHeader adds a header at a place; index 0 is the top.
func (m *Message) InsertHeader(index int, name, value string) {
	m.change(protocol.CodeInsertHeader, name == "", func(dst []byte) ([]byte, error) {
		return protocol.AppendInsertHeader(dst, index, name, value)
	}, func(t *tally) { t.added = append(t.added, Field{name, value}) })
}

// ChangeHeader gives the index-th header of that name a new value; the first has
// index 1. An empty value deletes it. It needs ActionChangeHeaders.
func (m *Message) ChangeHeader(name string, index int, value string) {
	m.change(protocol.CodeChangeHeader, name == "", func(dst []byte) ([]byte, error) {
		return protocol.AppendChangeHeader(dst, name, index, value)
	}, func(t *tally) {
		if value == "" {
			t.removed = append(t.removed, name)
		} else {
			t.added = append(t.added, Field{name, value})
		}
	})
}

// DeleteHeader is ChangeHeader with an empty value.
func (m *Message) DeleteHeader(name string, index int) { m.ChangeHeader(name, index, "") }

// ChangeFrom changes the envelope sender, with ESMTP parameters such as
// "SIZE=99". Angle brackets are sent as given. It needs ActionChangeFrom.
func (m *Message) ChangeFrom(addr string, params ...string) {
	m.change(protocol.CodeChangeFrom, addr == "", func(dst []byte) ([]byte, error) {
		return protocol.AppendChangeFrom(dst, addr, params...)
	}, func(t *tally) { t.changedFrom = addr })
}

// AddRecipient adds a recipient. It needs ActionAddRecipient, or with parameters
// ActionAddRecipientWithParams.
func (m *Message) AddRecipient(addr string, params ...string) {
	code := protocol.CodeAddRecipient
	if len(params) > 0 {
		code = protocol.CodeAddRecipientParams
	}
	m.change(code, addr == "", func(dst []byte) ([]byte, error) {
		return protocol.AppendAddRecipient(dst, addr, params...)
	}, func(t *tally) { t.addedRcpts = append(t.addedRcpts, addr) })
}

// DeleteRecipient deletes a recipient, given as it was received. It needs
// ActionDeleteRecipient.
func (m *Message) DeleteRecipient(addr string) {
	m.change(protocol.CodeDeleteRecipient, addr == "", func(dst []byte) ([]byte, error) {
		return protocol.AppendDeleteRecipient(dst, addr)
	}, func(t *tally) { t.deletedRcpts = append(t.deletedRcpts, addr) })
}

// ReplaceBody gives the message a new body; more calls add to it. Lines end in
// CRLF. An empty body empties the message. It needs ActionChangeBody.
//
// The calls for a body must follow each other: after another change it is
// ErrBodyInterleaved.
func (m *Message) ReplaceBody(body []byte) { _, _ = bodyWriter{m}.Write(body) }

// Body returns a writer to ReplaceBody. In a function of Go it waits while too
// much is on its way to the MTA.
func (m *Message) Body() io.Writer { return bodyWriter{m} }

// bodyWriter writes the new body of a message, packet by packet.
type bodyWriter struct{ m *Message }

func (w bodyWriter) Write(p []byte) (n int, err error) {
	for {
		piece := p[n:min(len(p), n+protocol.MaxBodyChunk)]
		if err := w.m.appendBody(piece); err != nil {
			return n, err
		}
		if n += len(piece); n == len(p) {
			return n, nil
		}
	}
}

// appendBody adds one packet to the new body. It returns the error that sticks.
func (m *Message) appendBody(piece []byte) error {
	m.change(protocol.CodeReplaceBody, false, func(dst []byte) ([]byte, error) {
		return protocol.AppendReplaceBody(dst, piece), nil
	}, func(t *tally) { t.newBody = max(t.newBody, 0) + int64(len(piece)) })
	m.mu.Lock()
	wait, err := m.blocking && m.err == nil, m.err
	m.mu.Unlock()
	if wait {
		m.out.Wait()
	}
	return err
}

// Quarantine holds the message for a reason. The last reason counts. It needs
// ActionQuarantine.
func (m *Message) Quarantine(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails(protocol.CodeQuarantine, reason == "") {
		return
	}
	if _, err := protocol.AppendQuarantine(nil, reason); err != nil {
		m.fail(protocol.CodeQuarantine, err)
		return
	}
	m.c.mu.Lock()
	m.c.facts.QuarantineReason = reason
	m.c.mu.Unlock()
}

// Progress asks the MTA to wait on. What was gathered is written first. The
// session does so by itself every few seconds while the answer is pending.
func (m *Message) Progress() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.fails(protocol.CodeProgress, false) {
		m.progress()
	}
}

// progress writes what was gathered and the request to wait on.
func (m *Message) progress() {
	m.closeBody()
	m.packets = protocol.AppendProgress(m.packets)
	m.flush()
}

// Flush writes the changes gathered so far.
func (m *Message) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil && !m.answered {
		m.flush()
	}
}

// change makes one change: encode appends its packet, and note keeps it for the
// result of the message.
func (m *Message) change(code protocol.Code, empty bool, encode func([]byte) ([]byte, error), note func(*tally)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails(code, empty) {
		return
	}
	if m.packets == nil {
		m.packets = m.space[:0]
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
	if m.c.tally != nil {
		note(m.c.tally)
	}
	limit := m.c.facts.PacketBuffer
	m.c.mu.Unlock()
	if len(m.packets) > limit {
		m.flush()
	}
}

func (m *Message) closeBody() {
	if m.body == bodyOpen {
		m.body = bodyClosed
	}
}

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
	closed, granted := m.c.closed, m.c.facts.Options.Actions
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
	m.c.mu.Lock()
	state := m.c.facts.State
	m.c.mu.Unlock()
	m.err = &OpError{Op: code.String(), State: state, Need: protocol.ActionFor(code), Err: err}
}
