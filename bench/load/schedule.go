package load

import (
	"math"
	"time"
)

// A Schedule is when the messages of an open loop are to begin. It ends with its
// last step.
type Schedule []Step

// A Step is a time in which the rate goes evenly from one value to another.
type Step struct {
	From, To float64       // messages a second
	For      time.Duration // 0 in the last step is for ever
}

// At returns when the message n, counted from 0, is to begin; ok is false if the
// schedule ends before.
func (s Schedule) At(n int64) (at time.Duration, ok bool) {
	left := float64(n)
	for _, step := range s {
		seconds := step.For.Seconds()
		if step.For == 0 {
			return at + toDuration(left/step.From), step.From > 0
		}
		if all := seconds * (step.From + step.To) / 2; left >= all {
			left -= all
			at += step.For
			continue
		}
		return at + toDuration(step.reach(left, seconds)), true
	}
	return at, false
}

// reach returns after how many of the seconds of a step n messages have begun.
func (s Step) reach(n, seconds float64) float64 {
	switch {
	case n == 0: // 0/0 below, where a step begins with none
		return 0
	case s.From == s.To:
		return n / s.From
	}
	slope := (s.To - s.From) / seconds // n = From t + slope t² / 2
	return 2 * n / (s.From + math.Sqrt(max(s.From*s.From+2*slope*n, 0)))
}

// toDuration returns some seconds, or for far more a time that no run sees.
func toDuration(seconds float64) time.Duration {
	const never = 1 << 61
	return time.Duration(min(seconds*float64(time.Second), never))
}

// Length returns how long the schedule is; 0 is for ever.
func (s Schedule) Length() (all time.Duration) {
	for _, step := range s {
		if step.For == 0 {
			return 0
		}
		all += step.For
	}
	return all
}
