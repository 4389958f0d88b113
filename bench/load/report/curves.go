package report

import (
	"math"
	"slices"
	"strconv"

	"millstream/bench/load"
)

// maxPoints is how many points a line over time has at most; intervals are put
// together until they fit.
const maxPoints = 150

// merge puts neighbouring intervals together, each together of them, so that a long
// run has no more points than can be told apart: counts are added, gauges are the
// greatest, the median is the mean of the medians, and p99 is the worst.
func merge(series []load.Interval) (merged []load.Interval, together int) {
	together = max(1, (len(series)+maxPoints-1)/maxPoints)
	for part := range slices.Chunk(series, together) {
		var all load.Interval
		var p50, server float64
		for i := range part {
			in := &part[i]
			all.At = in.At
			all.Length += in.Length
			all.Messages += in.Messages
			all.Errors += in.Errors
			all.InFlight = max(all.InFlight, in.InFlight)
			all.Waiting = max(all.Waiting, in.Waiting)
			all.P99, all.Max = max(all.P99, in.P99), max(all.Max, in.Max)
			p50 += float64(in.P50) * float64(in.Messages)
			server += in.Server * in.Length.Seconds()
		}
		all.P50 = duration(orZero(per(p50, float64(all.Messages))), 1)
		all.Server = orZero(per(server, all.Length.Seconds()))
		merged = append(merged, all)
	}
	return merged, together
}

// overTime returns one value of each interval as a curve.
func overTime(series []load.Interval, value func(*load.Interval) float64) curve {
	var c curve
	for i := range series {
		c.xs = append(c.xs, series[i].At.Seconds())
		c.ys = append(c.ys, value(&series[i]))
	}
	return c
}

// perSecond returns a rate of an interval.
func perSecond(n func(*load.Interval) int64) func(*load.Interval) float64 {
	return func(i *load.Interval) float64 { return per(float64(n(i)), i.Length.Seconds()) }
}

// ifAnswered returns a latency of an interval; a gap where no message was answered.
func ifAnswered(ns func(*load.Interval) float64) func(*load.Interval) float64 {
	return func(i *load.Interval) float64 {
		if i.Messages == 0 {
			return math.NaN()
		}
		return ns(i)
	}
}

// pointsPerDecade is how finely a curve of percentiles is drawn.
const pointsPerDecade = 12

// median is the x of half of all.
const median = 2

// byPercentile returns a latency as a curve: above each x is how long the share
// 1 - 1/x of all took at most. It begins with the median and ends with the greatest.
func byPercentile(l *load.Latency) curve {
	var c curve
	if l == nil || l.Hist.TotalCount() == 0 {
		return c
	}
	n := max(median, float64(l.Hist.TotalCount()))
	var wanted []float64
	for i := 0; ; i++ {
		x := median * math.Pow(10, float64(i)/pointsPerDecade)
		if x >= n {
			break
		}
		c.xs = append(c.xs, x)
		wanted = append(wanted, 100-100/x)
	}
	c.xs = append(c.xs, n)
	for _, ns := range l.Hist.ValueAtPercentilesSlice(append(wanted, 100)) {
		c.ys = append(c.ys, float64(ns))
	}
	return c
}

// percentile returns the name of an x of [byPercentile].
func percentile(x float64) string {
	decimals := max(1, int(math.Ceil(math.Log10(x))))
	return trimmed(strconv.FormatFloat(100-100/x, 'f', decimals, 64)) + " %"
}

// percentileTicks are 50 %, 90 %, 99 % and so on.
var percentileTicks = []float64{median, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// secondSteps are what clocks count in.
var secondSteps = []float64{
	.1, .2, .5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800,
	3600, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600,
}
