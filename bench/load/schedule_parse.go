package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxRate is the highest rate of a schedule, in messages a second: one each
// nanosecond.
const maxRate = 1e9

// ParseSchedule parses a schedule of messages a second, whose steps are separated by
// commas:
//
//	1000                   for ever
//	1000/10s,2000/10s      each for its time, then the end
//	100..5000/60s          evenly from one to the other
//	0..500/30s,500         evenly up to what then stays
//
// Each step but the last has a time, and so has each that goes from one rate to
// another. The error says which step is wrong with what, and how to write it.
func ParseSchedule(s string) (Schedule, error) {
	var schedule Schedule
	fields := strings.Split(s, ",")
	for i, field := range fields {
		step, err := parseStep(strings.TrimSpace(field), i == len(fields)-1)
		if err != nil {
			return nil, err
		}
		schedule = append(schedule, step)
	}
	return schedule, nil
}

// parseStep parses a step.
func parseStep(s string, isLast bool) (step Step, err error) {
	rates, length, timed := strings.Cut(s, "/")
	from, to, ramp := strings.Cut(rates, "..")
	if step.From, err = parseRate(from); err != nil {
		return step, err
	}
	if step.To = step.From; ramp {
		if step.To, err = parseRate(to); err != nil {
			return step, err
		}
	}
	if step.From == 0 && step.To == 0 {
		return step, fmt.Errorf("the step %q sends nothing; write messages a second such as 1000, or from 0 on as 0..1000/60s", s)
	}
	if timed {
		step.For, err = time.ParseDuration(strings.TrimSpace(length))
		if err != nil || step.For <= 0 {
			return step, fmt.Errorf("the step %q does not end in a time above zero; write %s/10s: messages a second, and how long", s, rates)
		}
		return step, nil
	}
	switch {
	case ramp:
		return step, fmt.Errorf("the step %q has no time; write %s/60s: messages a second, and how long", s, s)
	case !isLast:
		return step, fmt.Errorf("the step %q has no time, which only the last needs not; write %s/10s", s, s)
	}
	return step, nil
}

// parseRate parses messages a second.
func parseRate(s string) (float64, error) {
	s = strings.TrimSpace(s)
	rate, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is no rate; write messages a second such as 1000, 1000/10s for a time, or 100..5000/60s", s)
	}
	if rate > maxRate || rate > 0 && rate < 1/maxRate {
		return 0, fmt.Errorf("a rate of %s messages a second is not possible; one up to %.0f is", s, float64(maxRate))
	}
	return rate, nil
}

// String returns the schedule as [ParseSchedule] reads it.
func (s Schedule) String() string {
	list := make([]string, len(s))
	for i, step := range s {
		list[i] = step.String()
	}
	return strings.Join(list, ",")
}

// String returns the step as it stands in a schedule.
func (s Step) String() string {
	text := formatRate(s.From)
	if s.To != s.From {
		text += ".." + formatRate(s.To)
	}
	if s.For > 0 {
		text += "/" + formatTime(s.For)
	}
	return text
}

func formatRate(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

// formatTime writes a time without the zeros at its end.
func formatTime(d time.Duration) string {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
