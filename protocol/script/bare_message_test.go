package script

import (
	"slices"

	"millstream/protocol"
)

// endOfMessage answers the end of a message, with the changes of the filter. One that
// cannot be made counts as a failure.
func (b *bareMilter) endOfMessage() {
	m := &bareMessage{milter: b}
	r := b.perform(protocol.CodeEndOfMessage, "", m)
	changes := slices.Concat(m.changes, m.quarantine)
	if m.err != nil {
		r, changes = Reply{Status: b.fallback}, nil
	}
	b.apply(protocol.CodeEndOfMessage, r, changes, 0)
}

// bareMessage is the event at the end of a message. The first change that cannot be
// made stops those after it.
type bareMessage struct {
	milter     *bareMilter
	changes    []byte        // packets that are not written yet
	quarantine []byte        // the packet that comes last
	last       protocol.Code // of the changes
	bodyEnded  bool          // something came behind the new body
	err        error
}

// can reports whether a change, as its packet says, can be made. err is what its
// encoder says.
func (m *bareMessage) can(packet []byte, err error) (code protocol.Code, ok bool) {
	if m.err != nil {
		return 0, false
	}
	if m.err = err; err != nil {
		return 0, false
	}
	code = protocol.Code(packet[protocol.HeaderSize-1])
	switch {
	case !m.milter.granted.Has(protocol.ActionFor(code)):
		m.err = protocol.ErrInvalidAction
	case code == protocol.CodeReplaceBody && m.bodyEnded:
		m.err = protocol.ErrInvalidState // MTAs take a body in one piece
	}
	return code, m.err == nil
}

// change makes a change.
func (m *bareMessage) change(packet []byte, err error) {
	code, ok := m.can(packet, err)
	if !ok {
		return
	}
	m.bodyEnded = m.bodyEnded || m.last == protocol.CodeReplaceBody && code != m.last
	m.last = code
	m.changes = append(m.changes, packet...)
}

// AddHeader is [Message].
func (m *bareMessage) AddHeader(name, value string) {
	m.change(protocol.AppendAddHeader(nil, name, value))
}

// InsertHeader is [Message].
func (m *bareMessage) InsertHeader(index int, name, value string) {
	m.change(protocol.AppendInsertHeader(nil, index, name, value))
}

// ChangeHeader is [Message].
func (m *bareMessage) ChangeHeader(name string, index int, value string) {
	m.change(protocol.AppendChangeHeader(nil, name, index, value))
}

// ChangeFrom is [Message].
func (m *bareMessage) ChangeFrom(addr string, params ...string) {
	m.change(protocol.AppendChangeFrom(nil, addr, params...))
}

// AddRecipient is [Message].
func (m *bareMessage) AddRecipient(addr string, params ...string) {
	m.change(protocol.AppendAddRecipient(nil, addr, params...))
}

// DeleteRecipient is [Message].
func (m *bareMessage) DeleteRecipient(addr string) {
	m.change(protocol.AppendDeleteRecipient(nil, addr))
}

// ReplaceBody is [Message].
func (m *bareMessage) ReplaceBody(body []byte) {
	m.change(protocol.AppendReplaceBody(nil, body), nil)
}

// Quarantine is [Message]. The last reason counts.
func (m *bareMessage) Quarantine(reason string) {
	packet, err := protocol.AppendQuarantine(nil, reason)
	if _, ok := m.can(packet, err); ok {
		m.quarantine = packet
	}
}

// Progress is [Message].
func (m *bareMessage) Progress() {
	m.change(protocol.AppendProgress(nil), nil)
	m.Flush()
}

// Flush is [Message].
func (m *bareMessage) Flush() {
	if m.err == nil {
		m.milter.out = append(m.milter.out, m.changes...)
		m.changes = nil
	}
}

// ClearErr is [Message].
func (m *bareMessage) ClearErr() error {
	err := m.err
	m.err = nil
	return err
}
