package report

import (
	"math"
	"time"

	"millstream/bench/load"
)

// A metric is one number of a run that can be compared with that of another.
type metric struct {
	name   string
	format func(float64) string
	value  func(*load.Result) float64 // NaN if the run does not have it
	better int                        // 1 if more is better, -1 if less is
}

// runMetrics are the numbers of whole runs.
var runMetrics = []metric{
	{"messages/s", number, func(r *load.Result) float64 { return r.Rate(r.Counts.Messages) }, 1},
	{"sessions/s", number, func(r *load.Result) float64 { return r.Rate(r.Counts.Sessions) }, 0},
	{"sent/s", size, func(r *load.Result) float64 { return r.Rate(r.Counts.Sent) }, 0},
	{"received/s", size, func(r *load.Result) float64 { return r.Rate(r.Counts.Received) }, 0},
	{"messages", whole, func(r *load.Result) float64 { return float64(r.Counts.Messages) }, 0},
	{"errors", whole, func(r *load.Result) float64 { return float64(r.Failures()) }, -1},
}

// processMetrics are what the two programs cost.
var processMetrics = []metric{
	{"generator CPU per message", nanos, func(r *load.Result) float64 { return cpuPerMessage(&r.Generator, r) }, 0},
	{"server CPU per message", nanos, ofServer(cpuPerMessage), -1},
	{"server CPUs busy", number, ofServer(func(u *load.Usage, _ *load.Result) float64 { return u.CPUs }), 0},
	{"server memory", size, ofServer(func(u *load.Usage, _ *load.Result) float64 { return float64(u.Memory) }), -1},
	{"server memory at most", size, ofServer(func(u *load.Usage, _ *load.Result) float64 { return float64(u.Peak) }), -1},
	{"memory per idle session", size, func(r *load.Result) float64 {
		if r.Idle == nil || r.Idle.After == 0 {
			return math.NaN()
		}
		return r.Idle.PerSession()
	}, -1},
}

func cpuPerMessage(u *load.Usage, r *load.Result) float64 {
	return per(float64(u.CPU), float64(r.Counts.Messages))
}

// ofServer returns the value of a metric of the server, where that is known.
func ofServer(value func(*load.Usage, *load.Result) float64) func(*load.Result) float64 {
	return func(r *load.Result) float64 {
		if r.Server == nil {
			return math.NaN()
		}
		return value(r.Server, r)
	}
}

// latencyMetrics returns the metrics of the latencies that any of the runs has: all
// percentiles of a message, the median and p99 of the rest.
func latencyMetrics(runs []*load.Result) []metric {
	var all []metric
	for _, name := range latencyNames(runs) {
		for i, percent := range percents {
			if name != load.MessageLatency && percent != 50 && percent != 99 {
				continue
			}
			all = append(all, metric{clean(name) + " " + latencyHead[i+1], nanos, quantile(name, percent), -1})
		}
	}
	return all
}

// latencyNames returns the names of the latencies of all runs, in their order.
func latencyNames(runs []*load.Result) []string {
	var u union
	for _, r := range runs {
		u.next()
		for _, l := range r.Latencies {
			if l.Hist != nil {
				u.add(l.Name)
			}
		}
	}
	return u.names
}

// quantile returns the value of a metric in nanoseconds.
func quantile(name string, percent float64) func(*load.Result) float64 {
	return func(r *load.Result) float64 {
		l := latency(r, name)
		if l == nil || l.Hist.TotalCount() == 0 {
			return math.NaN()
		}
		return float64(l.Quantile(percent) / time.Nanosecond)
	}
}

// latency returns the latency of a name; nil if there is none, or nothing in it.
func latency(r *load.Result, name string) *load.Latency {
	l := r.Latency(name)
	if l == nil || l.Hist == nil {
		return nil
	}
	return l
}

// A comparison is one metric of all runs.
type comparison struct {
	name  string
	cells []comparedCell
}

// A comparedCell is the metric of one run, and how many times that of the first it is.
type comparedCell struct {
	value, ratio string
	change       int // 1 if clearly better than the first, -1 if clearly worse
}

// clearly is the least change that a table points to.
const clearly = 0.05

// compared returns the metrics that any of the runs has.
func compared(runs []*load.Result) []comparison {
	metrics := append(append([]metric(nil), runMetrics...), latencyMetrics(runs)...)
	var all []comparison
	for _, m := range append(metrics, processMetrics...) {
		row, known := comparison{name: m.name}, false
		for i, r := range runs {
			v := m.value(r)
			known = known || finite(v)
			cell := comparedCell{value: m.format(v)}
			if i > 0 {
				cell.ratio, cell.change = m.against(v, m.value(runs[0]))
			}
			row.cells = append(row.cells, cell)
		}
		if known {
			all = append(all, row)
		}
	}
	return all
}

// against returns how a value compares with that of the first run.
func (m *metric) against(v, first float64) (text string, change int) {
	ratio := v / first
	switch {
	case v == 0 && first == 0:
		return "=", 0
	case finite(v) && v > 0 && first == 0: // some where there were none
		return "from 0", m.better
	case !finite(ratio) || ratio < 0:
		return none, 0
	case ratio >= 1+clearly:
		change = m.better
	case ratio <= 1-clearly:
		change = -m.better
	}
	return times(ratio), change
}
