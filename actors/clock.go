package actors

import "time"

// checkEvery is how often output is looked at that the MTA does not take.
const checkEvery = time.Second

// arm sets the timer to what comes first.
func (s *session) arm() {
	due, now := never, s.loop.now()
	cfg := &s.gen.cfg
	switch {
	case s.hold != holdNothing:
		if cfg.HandlerTimeout > 0 {
			due = s.loop.wheel.instant(s.begun).after(cfg.HandlerTimeout)
		}
		if s.extends() {
			due = min(due, s.extended.after(cfg.AutoProgress))
		}
	case !s.ending:
		if limit := s.patience(); limit > 0 {
			due = s.heard.after(limit)
		}
	}
	if s.unsent.bytes > 0 {
		if s.outlet.waited() {
			due = min(due, now)
		}
		due = min(due, now.after(checkEvery))
	}
	s.loop.wheel.set(&s.timer, due)
}

// patience returns how long the MTA may be silent; 0 is for ever.
func (s *session) patience() time.Duration {
	if s.outside() {
		return s.gen.cfg.NegotiateTimeout
	}
	return s.control.Timeout()
}

// extends reports whether the MTA is asked now and then to wait on.
func (s *session) extends() bool { return s.gen.cfg.AutoProgress > 0 && s.message != nil }

// wake does what is due.
func (s *session) wake() {
	s.loop.look() // the loop may have had other things to do since the tick
	now := s.loop.now()
	s.checkUnsent()
	cfg := &s.gen.cfg
	switch {
	case s.hold != holdNothing:
		if cfg.HandlerTimeout > 0 && s.loop.stamp.Sub(s.begun) >= cfg.HandlerTimeout {
			s.expire()
		} else if s.extends() && now >= s.extended.after(cfg.AutoProgress) {
			s.extended = now
			s.control.Prolong(s.message)
		}
	case !s.ending:
		if limit := s.patience(); limit > 0 && now >= s.heard.after(limit) {
			s.expireIdle(limit)
		}
	}
}
