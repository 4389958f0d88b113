package report

import (
	"math"
	"slices"
	"strconv"
)

// An axis is how the numbers along one side of a plot are laid out.
type axis struct {
	label  string
	log    bool                 // what is not above zero is left out
	zero   bool                 // a linear one begins at zero at the latest
	tight  bool                 // it ends with its last value, not with the tick after that
	format func(float64) string // for ticks and tooltips; nil is a plain number
	steps  []float64            // between ticks, upwards; nil is 1, 2 or 5 times a power of ten
	ticks  []float64            // instead of those that fit
	must   []float64            // values that it goes over even if no point has them
}

// A scale is an axis that fits its values.
type scale struct {
	axis
	lo, hi float64
	ticks  []tick
}

// A tick is one value that an axis names.
type tick struct {
	value float64
	label string
}

// aboutTicks is how many ticks an axis has at most, roughly.
const aboutTicks = 6

// huge is beyond what can be laid out.
const huge = 1e300

// draws reports whether a value has a place on an axis.
func (a *axis) draws(v float64) bool {
	return math.Abs(v) < huge && (!a.log || v > 1/huge) // false for NaN too
}

// fit returns the scale for values; ok is false if none can be drawn.
func (a *axis) fit(values []float64) (s scale, ok bool) {
	s = scale{axis: *a, lo: math.Inf(1), hi: math.Inf(-1)}
	for _, v := range slices.Concat(values, a.must) {
		if a.draws(v) {
			s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		}
	}
	if s.lo > s.hi {
		return s, false
	}
	if s.format == nil {
		s.format = func(v float64) string { return inShort(tickUnits, v) }
	}
	var at []float64
	if a.log {
		at = s.fitLog()
	} else {
		at = s.fitLinear()
	}
	if a.ticks != nil {
		at = a.ticks
	}
	s.name(at)
	return s, true
}

// fitLinear widens s to whole steps and returns where its ticks are.
func (s *scale) fitLinear() (ticks []float64) {
	if s.zero {
		s.lo, s.hi = min(s.lo, 0), max(s.hi, 0)
	}
	if least := max(math.Abs(s.lo), math.Abs(s.hi)) * 1e-6; s.hi-s.lo <= max(least, 1/huge) {
		s.hi = s.lo + max(least, 1)
	}
	step := s.step((s.hi - s.lo) / aboutTicks)
	first, last := math.Floor(s.lo/step), math.Ceil(s.hi/step)
	if s.tight {
		first, last = math.Ceil(s.lo/step), math.Floor(s.hi/step)
	} else {
		s.lo, s.hi = first*step, last*step
	}
	for i := range int(last-first) + 1 {
		ticks = append(ticks, (first+float64(i))*step)
	}
	return ticks
}

// step returns the least step between ticks that is not below the one given.
func (s *scale) step(least float64) float64 {
	for _, step := range s.steps {
		if step >= least {
			return step
		}
	}
	return upTo125(least)
}

// fitLog widens s to 1, 2 or 5 times a power of ten and returns where its ticks are.
func (s *scale) fitLog() (ticks []float64) {
	if s.hi <= s.lo*(1+1e-6) || !s.tight {
		s.lo, s.hi = downTo125(s.lo), upTo125(s.hi)
	}
	if s.hi <= s.lo*(1+1e-6) {
		s.hi = upTo125(s.lo * 1.5)
	}
	first, last := math.Floor(math.Log10(s.lo)), math.Ceil(math.Log10(s.hi))
	skip := max(1, math.Ceil((last-first)/aboutTicks))
	for e := first; e <= last; e += skip {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, e)
			between := v >= s.lo*(1-1e-9) && v <= s.hi*(1+1e-9)
			if between && (m == 1 || last-first <= 2) {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// upTo125 returns the least of 1, 2 or 5 times a power of ten that is not below v.
func upTo125(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// downTo125 returns the greatest of 1, 2 or 5 times a power of ten that is not above v.
func downTo125(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2} {
		if m*power <= v*(1+1e-9) {
			return m * power
		}
	}
	return power
}

// name sets the ticks of s to those of the values that are on it, and labels them so
// that they can be told apart.
func (s *scale) name(values []float64) {
	same := false
	for _, v := range values {
		if v < s.lo-(s.hi-s.lo)*1e-9 || v > s.hi+(s.hi-s.lo)*1e-9 {
			continue
		}
		label := s.format(v)
		same = same || len(s.ticks) > 0 && s.ticks[len(s.ticks)-1].label == label
		s.ticks = append(s.ticks, tick{v, label})
	}
	for i := range s.ticks {
		if same {
			s.ticks[i].label = strconv.FormatFloat(s.ticks[i].value, 'g', 9, 64)
		}
	}
}

// at returns where a value is on s, from 0 to 1.
func (s *scale) at(v float64) float64 {
	if s.log {
		return (math.Log(v) - math.Log(s.lo)) / (math.Log(s.hi) - math.Log(s.lo))
	}
	return (v - s.lo) / (s.hi - s.lo)
}
