package report

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// none stands where there is no number.
const none = "–"

// A unit is one of a ladder of units, each for numbers from its own size or later.
type unit struct {
	name       string
	size, from float64
}

var (
	timeUnits = []unit{ // of nanoseconds
		{"ns", 1, 0},
		{"µs", 1e3, 1e3},
		{"ms", 1e6, 1e6},
		{"s", 1e9, 1e9},
		{"min", 60e9, 120e9},
		{"h", 3600e9, 7200e9},
	}
	byteUnits = []unit{{"B", 1, 0}, {"kB", 1e3, 1e3}, {"MB", 1e6, 1e6}, {"GB", 1e9, 1e9}, {"TB", 1e12, 1e12}}
	tickUnits = []unit{{"", 1, 0}, {"k", 1e3, 1e4}, {"M", 1e6, 1e6}, {"G", 1e9, 1e9}, {"T", 1e12, 1e12}}
)

// in returns a number with three digits in the unit that fits it.
func in(units []unit, v float64) string {
	if !finite(v) {
		return none
	}
	fit, rounded := units[0], math.Abs(round3(v))
	for _, u := range units {
		if rounded >= u.from {
			fit = u
		}
	}
	text := digits(v / fit.size)
	if fit == units[0] {
		text = trimmed(text) // half a byte is no measurement
	}
	return text + " " + fit.name
}

// inShort is in without needless zeros, for ticks.
func inShort(units []unit, v float64) string {
	if v == 0 {
		return "0"
	}
	number, name, _ := strings.Cut(in(units, v), " ")
	if units[0].name == "" {
		return trimmed(number) + name
	}
	return strings.TrimSpace(trimmed(number) + " " + name)
}

// nanos returns a time in nanoseconds with its unit.
func nanos(v float64) string {
	if v == 0 {
		return "0 s"
	}
	return in(timeUnits, v)
}

func span(d time.Duration) string { return nanos(float64(d)) }

func size(v float64) string { return in(byteUnits, v) }

// number returns three digits of v, or more if it is 1000 and above.
func number(v float64) string {
	if !finite(v) {
		return none
	}
	if math.Abs(v) >= 999.5 && math.Abs(v) < 1e15 {
		return count(int64(math.Round(v)))
	}
	return digits(v)
}

// times returns how many times something is.
func times(ratio float64) string {
	if ratio >= 0.01 && ratio < 10 {
		return strconv.FormatFloat(ratio, 'f', 2, 64) + "×"
	}
	return trimmed(digits(ratio)) + "×"
}

// whole returns a number that has no fraction.
func whole(v float64) string { return trimmed(number(v)) }

// count returns n with its thousands apart.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// share returns how much n is of all.
func share(n, all int64) string {
	if all <= 0 {
		return none
	}
	percent := 100 * float64(n) / float64(all)
	if percent > 0 && percent < 0.01 {
		return "under 0.01 %"
	}
	return trimmed(digits(percent)) + " %"
}

// digits returns v with three significant digits.
func digits(v float64) string {
	v = round3(v)
	switch abs := math.Abs(v); {
	case abs >= 1e6:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case abs >= 100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case abs >= 1e-4:
		return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(abs))), 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// round3 rounds v to three significant digits.
func round3(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return v // the greatest number, rounded up
	}
	return r
}

// trimmed cuts the zeros off that end a fraction.
func trimmed(text string) string {
	if !strings.Contains(text, ".") || strings.Contains(text, "e") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// orZero returns v, or 0 if it is no number that can be written.
func orZero(v float64) float64 {
	if !finite(v) {
		return 0
	}
	return v
}

// per returns a share of a, NaN if there is nothing to share it among.
func per(a, n float64) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return a / n
}

// clean returns text of others in one line, without what a terminal obeys and what
// turns the direction of the text round.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
