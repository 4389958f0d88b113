package report

import (
	"fmt"
	"time"

	"millstream/bench/load"
)

// Limits are what a run must keep to be good enough. Of the zero Limits only that
// there is no error.
type Limits struct {
	MaxP99    time.Duration // that 99 % of the messages take at most; 0 is no limit
	MaxP50    time.Duration // that half of the messages take at most; 0 is no limit
	MinRate   float64       // messages a second; 0 is no limit
	MaxErrors int64         // of all kinds together; -1 is no limit
}

// Check returns a sentence for each limit that a run broke, with the value it had.
func (l Limits) Check(r *load.Result) []string {
	var broken []string
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }

	for _, q := range []struct {
		name    string
		percent float64
		most    time.Duration
	}{{"p50", 50, l.MaxP50}, {"p99", 99, l.MaxP99}} {
		if q.most <= 0 {
			continue
		}
		seen := latency(r, load.MessageLatency)
		if seen == nil || seen.Hist.TotalCount() == 0 {
			say("No message was answered, so %s is not known; the limit is %v.", q.name, q.most)
		} else if d := seen.Quantile(q.percent); d > q.most {
			say("%s of a message is %v; the limit is %v.", q.name, d, q.most)
		}
	}
	if rate := r.Rate(r.Counts.Messages); l.MinRate > 0 && !(rate >= l.MinRate) {
		say("The rate is %s messages/s; the limit is at least %s.", precise(rate, l.MinRate), precise(l.MinRate, rate))
	}
	if n := r.Failures(); l.MaxErrors >= 0 && n > l.MaxErrors {
		say("There were %s errors; the limit is %s.", count(n), count(l.MaxErrors))
	}
	return broken
}

// precise returns v so that it can be told from another number.
func precise(v, other float64) string {
	if text := number(v); text != number(other) {
		return text
	}
	return fmt.Sprint(v)
}
