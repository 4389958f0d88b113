package local

import (
	"math"
	"time"

	"millstream/handlers/store"
)

// NoLimit is a limit that no total is over.
const NoLimit = math.MaxInt64

// A Counter counts in the present window and knows the one before it. Windows have
// numbers: that of a moment is the time since 1970 over the length of a window, so
// all machines agree on them as far as their clocks do.
type Counter struct {
	Window int64 // the number of the present one
	Now    int64
	Before int64
}

// Roll moves c to a window and reports whether that is another one. A clock that was set back does
// not make it count anew: c stays in its window, unless the clock was wrong by more
// than one.
func (c *Counter) Roll(window int64) (moved bool) {
	switch window - c.Window {
	case 0, -1:
		return false
	case 1:
		c.Before, c.Now = c.Now, 0
	default:
		c.Before, c.Now = 0, 0
	}
	c.Window = window
	return true
}

// A Moment is a time as a counter sees it.
type Moment struct {
	Now    int64 // nanoseconds since 1970
	Length int64 // of the window
	Window int64 // its number

	sliding bool
}

// MomentOf returns a time as counters over a window see it.
func MomentOf(now time.Time, w store.Window) Moment {
	m := Moment{Now: now.UnixNano(), Length: int64(Clamp(w.Length)), sliding: w.Sliding}
	m.Window = m.Now / m.Length
	return m
}

// Ends returns when an entry is of no more use that was last used in a window: when
// the one after it has ended.
func Ends(window, length int64) int64 { return (window + 2) * length }

// Count adds n to own, which stands in the window of m, unless the total would then
// be over the limit. The total is that of own and of others, who count elsewhere.
func (m Moment) Count(own *Counter, others Counter, n, limit int64) (store.Total, bool) {
	total := m.total(*own, others)
	fits := n <= 0 || Sum(total, n) <= limit
	if fits && n != 0 {
		own.Now = max(0, Sum(own.Now, n))
		total = m.total(*own, others)
	}
	return store.Total{N: total, Ends: time.Unix(0, (m.Window+1)*m.Length)}, fits
}

// total returns what is counted in the window up to m.
func (m Moment) total(own, others Counter) int64 {
	n := Sum(own.Now, others.Now)
	if !m.sliding {
		return n
	}
	left := m.Length - m.Now%m.Length
	part := float64(left) / float64(m.Length)
	return Sum(n, int64(float64(Sum(own.Before, others.Before))*part))
}

// Sum returns a + b, or the number nearest to it that there is.
func Sum(a, b int64) int64 {
	switch s := a + b; {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	default:
		return s
	}
}
