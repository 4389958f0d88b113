package handlers

import (
	"io"
	"sync"

	"millstream/protocol"
)

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
	blocking bool    // its handler runs where it may block
	shadow   *shadow // nil if changes are made
}

// Chunk returns the last piece of the body if it came with the event. It is nil
// with every MTA of today.
func (m *Message) Chunk() protocol.View { return m.chunk }

// Can reports whether all of want were agreed on.
func (m *Message) Can(want protocol.Actions) bool {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	return m.c.known.options.Actions.Has(want)
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
	m.change(protocol.CodeChangeFrom, isEmpty(addr, params), func(dst []byte) ([]byte, error) {
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
	m.change(code, isEmpty(addr, params), func(dst []byte) ([]byte, error) {
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

// Write is [io.Writer].
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
	m.hold(reason)
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

// Flush writes the changes gathered so far.
func (m *Message) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.flush()
	}
}
