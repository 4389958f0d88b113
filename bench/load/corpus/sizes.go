package corpus

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	spreadCount = 64   // mails that stand for a distribution
	finestShare = 1000 // shares of a mix are multiples of 1/finestShare
)

// Sizes are how long bodies are, in bytes: one size or a distribution. The zero
// Sizes is no body.
type Sizes struct{ parts []part }

// A part of Sizes: from low to high evenly, or with sigma around a median.
type part struct {
	share     int64 // of finestShare
	low, high int64 // alike for one size; the median is low
	sigma     float64
}

// ParseSizes parses sizes:
//
//	4KiB                          all bodies have it
//	1KiB..64KiB                   all between are as frequent
//	lognormal:4KiB,1.5            the median, and sigma of the logarithm
//	70%:2KiB,25%:20KiB,5%:1MiB    a mix of those, with shares that make up 100%
//
// No size may be above [MaxMail]; what a lognormal distribution has beyond it is of
// that size. Shares are multiples of 0.1%.
func ParseSizes(s string) (Sizes, error) {
	fields := splitMix(s)
	if len(fields) == 1 && !isShared(fields[0]) {
		p, err := parsePart(fields[0])
		p.share = finestShare
		return Sizes{[]part{p}}, err
	}
	var sizes Sizes
	var sum int64
	for _, field := range fields {
		share, rest, _ := strings.Cut(field, "%:")
		percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		tenths := math.Round(percent * finestShare / 100)
		if !isShared(field) || err != nil || !(tenths >= 1 && tenths <= finestShare) {
			return Sizes{}, fmt.Errorf("%q has no share from 0.1%% to 100%%; write a mix as in 70%%:2KiB,25%%:20KiB,5%%:1MiB", field)
		}
		p, err := parsePart(rest)
		if err != nil {
			return Sizes{}, err
		}
		p.share = int64(tenths)
		sum += p.share
		sizes.parts = append(sizes.parts, p)
	}
	if sum != finestShare {
		return Sizes{}, fmt.Errorf("the shares of %q make up %s%%, not 100%%", s, formatShare(sum))
	}
	return sizes, nil
}

// splitMix splits a mix at its commas. One that does not begin a share belongs to
// the part before it.
func splitMix(s string) []string {
	var fields []string
	for field := range strings.SplitSeq(s, ",") {
		if n := len(fields); n > 0 && !isShared(field) && strings.Contains(fields[n-1], "lognormal:") {
			fields[n-1] += "," + field
			continue
		}
		fields = append(fields, field)
	}
	return fields
}

func isShared(field string) bool { return strings.Contains(field, "%:") }

// parsePart parses what is no mix.
func parsePart(s string) (p part, err error) {
	s = strings.TrimSpace(s)
	if law, ok := strings.CutPrefix(s, "lognormal:"); ok {
		return parseLognormal(law)
	}
	low, high, isRange := strings.Cut(s, "..")
	if p.low, err = parseBody(low); err != nil || !isRange {
		p.high = p.low
		return p, err
	}
	if p.high, err = parseBody(high); err == nil && p.high < p.low {
		err = fmt.Errorf("%q goes down; write the smaller size first", s)
	}
	return p, err
}

func parseLognormal(s string) (p part, err error) {
	median, sigma, _ := strings.Cut(s, ",")
	if p.low, err = parseBody(median); err != nil {
		return p, err
	}
	p.high = p.low
	if p.sigma, err = strconv.ParseFloat(strings.TrimSpace(sigma), 64); err != nil || !(p.sigma > 0 && p.sigma <= 10) {
		return p, fmt.Errorf("%q is no median and sigma, which is above 0 and 10 at most; write lognormal:4KiB,1.5", "lognormal:"+s)
	}
	if p.low == 0 {
		return p, errors.New("a lognormal distribution has a median above 0")
	}
	return p, nil
}

// parseBody parses the size of a body.
func parseBody(s string) (int64, error) {
	n, err := ParseSize(s)
	if err == nil && n > MaxMail {
		err = fmt.Errorf("a body of %q is too large: %s at most", s, formatSize(MaxMail))
	}
	return n, err
}

// String returns the sizes as ParseSizes reads them.
func (s Sizes) String() string {
	if len(s.parts) == 0 {
		return "0"
	}
	if len(s.parts) == 1 {
		return s.parts[0].String()
	}
	list := make([]string, len(s.parts))
	for i, p := range s.parts {
		list[i] = formatShare(p.share) + "%:" + p.String()
	}
	return strings.Join(list, ",")
}

// formatShare writes a share in percent.
func formatShare(share int64) string {
	return strconv.FormatFloat(float64(share)*100/finestShare, 'f', -1, 64)
}

// String returns the part without its share.
func (p part) String() string {
	switch {
	case p.sigma > 0:
		return "lognormal:" + formatSize(p.low) + "," + strconv.FormatFloat(p.sigma, 'f', -1, 64)
	case p.high > p.low:
		return formatSize(p.low) + ".." + formatSize(p.high)
	}
	return formatSize(p.low)
}

// isSpread reports whether there is more than one size.
func (p part) isSpread() bool { return p.sigma > 0 || p.high > p.low }

// at returns the size that a share q of all, from 0 to 1, do not go beyond.
func (p part) at(q float64) int64 {
	if p.sigma > 0 {
		z := math.Sqrt2 * math.Erfinv(2*q-1)
		return int64(min(math.Round(float64(p.low)*math.Exp(p.sigma*z)), MaxMail))
	}
	return p.low + int64(math.Round(q*float64(p.high-p.low)))
}

// at returns one of the sizes for each q from 0 to 1. Parts come one after the
// other, each with as much of that range as its share is.
func (s Sizes) at(q float64) int64 {
	for i, p := range s.parts {
		share := float64(p.share) / finestShare
		if q < share || i == len(s.parts)-1 {
			return p.at(min(q/share, 1))
		}
		q -= share
	}
	return 0
}

// count returns how few sizes stand for all: one of one size, of a mix so many that
// the shares come out even, and no less than spreadCount of a distribution.
func (s Sizes) count() int {
	step, least := int64(finestShare), int64(1)
	for _, p := range s.parts {
		step = divisor(step, p.share)
		if p.isSpread() {
			least = spreadCount
		}
	}
	whole := finestShare / step
	return int((least + whole - 1) / whole * whole)
}

// divisor returns the greatest common one.
func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// spread returns n sizes that stand for all.
func (s Sizes) spread(n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = s.at((float64(i) + 0.5) / float64(n))
	}
	return list
}
