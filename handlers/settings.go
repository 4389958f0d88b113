package handlers

import "time"

// Private returns the value set by SetPrivate, or nil.
func (s *Session) Private() any {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.seldom().private.value
}

// SetPrivate keeps v for the connection, until it is replaced or the SMTP client
// is gone. destroy, which may be nil, is then called with it once: after the
// [Finished] event. A handler from a [Factory] rarely needs it.
func (s *Session) SetPrivate(v any, destroy func(any)) {
	var old private
	s.set(func(c *Control) {
		r := c.uncommon()
		old, r.private = r.private, private{v, destroy}
	})
	old.release()
}

// private is a value kept for a connection.
type private struct {
	value   any
	destroy func(any)
}

func (p private) release() {
	if p.destroy != nil {
		p.destroy(p.value)
	}
}

// settings are what handlers can change of how their session is run.
type settings struct {
	timeout      time.Duration
	packetBuffer int
}

// Timeout returns how long the MTA may be silent; 0 means for ever.
func (s *Session) Timeout() time.Duration {
	return fact(s, func(c *Control) time.Duration { return c.settings.timeout })
}

// SetTimeout sets Timeout. It counts from the next wait on.
func (s *Session) SetTimeout(d time.Duration) {
	s.set(func(c *Control) { c.settings = &settings{max(d, 0), c.settings.packetBuffer} })
}

// PacketBuffer returns how many bytes of changes to a message are gathered
// before they are written; with 0 each is written at once.
func (s *Session) PacketBuffer() int {
	return fact(s, func(c *Control) int { return c.settings.packetBuffer })
}

// SetPacketBuffer sets PacketBuffer.
func (s *Session) SetPacketBuffer(bytes int) {
	s.set(func(c *Control) { c.settings = &settings{c.settings.timeout, max(bytes, 0)} })
}

// ResetMessage drops the macros, the shelf and the result of the message. The
// session does so itself when a message ends; there is seldom a need to call it.
func (s *Session) ResetMessage() {
	s.set(func(c *Control) { c.resetMessage() })
}
