package handlers

// Shadow returns a message that tells what m tells and can be changed as m can, but
// whose changes go nowhere; changes returns those that were made to it, in the fields of
// a Result that are about changes. It is for trying out a handler.
func (m *Message) Shadow() (s *Message, changes func() *Result) {
	s = &Message{c: m.c, out: nowhere{}, chunk: m.chunk, shadow: &shadow{tally: tally{newBody: -1}}}
	return s, func() *Result {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.shadow.tally.result(s.shadow.reason)
	}
}

// shadow is what is noted of changes that go nowhere.
type shadow struct {
	tally  tally
	reason string // for the quarantine
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
		m.shadow.tally.quarantined, m.shadow.reason = true, reason
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
		return &m.shadow.tally
	}
	return m.c.tally
}
