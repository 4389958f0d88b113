package actors

import "time"

// checkEvery is how often output is looked at that the MTA does not take.
const checkEvery = time.Second

// arm sets the timer to what comes first.
func (s *session) arm() {
	var due time.Time
	sooner := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	cfg := &s.sys.cfg
	switch {
	case s.hold != holdNothing:
		if cfg.HandlerTimeout > 0 {
			sooner(s.begun.Add(cfg.HandlerTimeout))
		}
		if s.extends() {
			sooner(s.extended.Add(cfg.AutoProgress))
		}
	case !s.ending:
		if limit := s.patience(); limit > 0 {
			sooner(s.heard.Add(limit))
		}
	}
	if s.unsent.bytes > 0 {
		if s.outlet.waited() {
			sooner(s.loop.stamp)
		}
		sooner(s.loop.stamp.Add(checkEvery))
	}
	s.loop.wheel.set(&s.timer, due)
}

// patience returns how long the MTA may be silent; 0 is for ever.
func (s *session) patience() time.Duration {
	if s.outside() {
		return s.sys.cfg.NegotiateTimeout
	}
	return s.control.Timeout()
}

// extends reports whether the MTA is asked now and then to wait on.
func (s *session) extends() bool { return s.sys.cfg.AutoProgress > 0 && s.message != nil }

// wake does what is due.
func (s *session) wake() {
	now := time.Now() // the loop may have had other things to do since the tick
	s.loop.stamp = now
	s.checkUnsent()
	cfg := &s.sys.cfg
	switch {
	case s.hold != holdNothing:
		if cfg.HandlerTimeout > 0 && now.Sub(s.begun) >= cfg.HandlerTimeout {
			s.expire()
		} else if s.extends() && now.Sub(s.extended) >= cfg.AutoProgress {
			s.extended = now
			s.control.Prolong(s.message)
		}
	case !s.ending:
		if limit := s.patience(); limit > 0 && now.Sub(s.heard) >= limit {
			s.expireIdle(limit)
		}
	}
}
