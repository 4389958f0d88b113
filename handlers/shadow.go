package handlers

// Shadow returns a message that tells what m tells and can be changed as m can, but
// whose changes go nowhere; changes returns those that were made to it, in the fields of
// a Result that are about changes. It is for trying out a handler.
func (m *Message) Shadow() (shadow *Message, changes func() *Result) {
	shadow = &Message{c: m.c, out: nowhere{}, chunk: m.chunk, shadow: &tally{newBody: -1}}
	return shadow, func() *Result {
		shadow.mu.Lock()
		defer shadow.mu.Unlock()
		return shadow.shadow.result(shadow.reason)
	}
}

// nowhere takes changes that are not made.
type nowhere struct{}

// Flush is [Outlet].
func (nowhere) Flush([]byte) {}

// Wait is [Outlet].
func (nowhere) Wait() {}

// hold notes that a message is to be quarantined. The caller holds the lock of m.
func (m *Message) hold(reason string) {
	if m.shadow != nil {
		m.shadow.quarantined, m.reason = true, reason
		return
	}
	m.c.mu.Lock()
	m.c.uncommon().quarantine = reason
	m.c.mu.Unlock()
}

// counts returns where the changes of m are noted; nil if nobody counts. The caller
// holds the locks.
func (m *Message) counts() *tally {
	if m.shadow != nil {
		return m.shadow
	}
	return m.c.tally
}
