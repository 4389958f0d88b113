package ratelimit

import (
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A tally is what a limit has counted of the message under way.
type tally struct {
	charges map[string]charge // by their keys
	open    string            // the key that was counted for the recipient under way
	reason  string            // why the message is to be held
}

// A charge is what was counted for one key.
type charge struct {
	n    int64
	ends time.Time // of the window in which it was counted
}

// keeps reports whether l has to know what it has counted: to give it back, or not to
// count a message for each of its recipients.
func (l *limit) keeps() bool {
	return l.Count == accepted || l.What == messages && l.stage == handlers.KindEnvelopeRecipient
}

// tally returns the tally of the message under way. If there is none it is nil, or made.
func (l *limit) tally(s *handlers.Session, wanted bool) *tally {
	kept, _ := s.Shelf().Get(l.shelf)
	t, _ := kept.(*tally)
	if t == nil && wanted {
		t = &tally{charges: make(map[string]charge)}
		s.Shelf().Set(l.shelf, t)
	}
	return t
}

// add notes that n was counted.
func (t *tally) add(key string, n int64, ends time.Time) {
	c := t.charges[key]
	if !c.ends.Equal(ends) {
		c = charge{ends: ends} // what was counted in a window that is over stays there
	}
	c.n += n
	t.charges[key], t.open = c, key
}

// answered gives back what was counted for a recipient that is then refused.
func (l *limit) answered(s *handlers.Session, r *handlers.Response) {
	if r.To != handlers.KindEnvelopeRecipient {
		return
	}
	t := l.tally(s, false)
	if t == nil || t.open == "" {
		return
	}
	if refused(r.Status) {
		c := t.charges[t.open]
		l.giveBack(s, t.open, charge{1, c.ends})
		if c.n--; c.n == 0 {
			delete(t.charges, t.open)
		} else {
			t.charges[t.open] = c
		}
	}
	t.open = ""
}

// processed gives back what was counted for a message that is then refused.
func (l *limit) processed(s *handlers.Session, r *handlers.Result) {
	t := l.tally(s, false)
	if t == nil || !refused(r.Status) {
		return
	}
	for key, c := range t.charges {
		l.giveBack(s, key, c)
	}
	clear(t.charges)
}

// giveBack takes back what was counted, if its window still counts.
func (l *limit) giveBack(s *handlers.Session, key string, c charge) {
	if time.Now().Before(c.ends) {
		l.filter.counters.Incr(s.Context(), key, -c.n, l.window)
	}
}

// refused reports whether a status is that of something that was not taken.
func refused(status protocol.Status) bool {
	switch status {
	case protocol.StatusReject, protocol.StatusTempFail, protocol.StatusAbort:
		return true
	}
	return false
}
