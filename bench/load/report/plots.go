package report

import (
	"fmt"
	"math"

	"millstream/bench/load"
)

// A plotter makes the charts of runs that stand side by side: of one, lines differ in
// what they say; of more, each run has its colour.
type plotter struct {
	runs   []*load.Result
	names  []string
	series [][]load.Interval // of each run, as they are drawn
	note   string            // how the intervals were put together
}

func newPlotter(runs []*load.Result) *plotter {
	p := &plotter{runs: runs, names: called(runs)}
	most := 1
	for _, r := range runs {
		merged, together := merge(r.Series)
		p.series = append(p.series, merged)
		most = max(most, together)
	}
	if most > 1 {
		p.note = fmt.Sprintf("up to %d intervals in a point", most)
	}
	return p
}

// A value is what a line over time shows of each interval.
type value struct {
	name string
	of   func(*load.Interval) float64
}

// time returns a chart over time of one value, or of two. The lines of the second one
// are dashed where there are many runs.
func (p *plotter) time(title string, y axis, values ...value) chart {
	c := chart{title: title, note: p.note, y: y, x: axis{
		label: "time since the warm-up", zero: true, tight: true, steps: secondSteps,
		format: func(s float64) string { return inShort(timeUnits, s*1e9) },
	}}
	for i, series := range p.series {
		for j, v := range values {
			line := overTime(series, v.of)
			line.name, line.hue = v.name, j
			if len(p.runs) > 1 {
				line.name, line.hue, line.dashed = p.names[i]+", "+v.name, i, j > 0
				if len(values) == 1 {
					line.name = p.names[i]
				}
			}
			c.curves = append(c.curves, line)
		}
	}
	return c
}

// figures returns the plots of whole runs. A plot that no run has a number for is left
// out.
func (p *plotter) figures() []figure {
	rates := axis{label: "messages/s", zero: true}
	errors := axis{label: "errors/s", zero: true}
	counts := axis{label: "messages", zero: true}
	cpus := axis{label: "CPUs", zero: true}
	charts := []chart{
		p.percentiles("Latency of messages by percentile", load.MessageLatency, p.latencyAxis(load.MessageLatency)),
		p.time("Messages a second", rates, value{"messages/s", perSecond(func(i *load.Interval) int64 { return i.Messages })}),
		p.latencyOverTime(),
		p.time("Messages in flight and waiting", counts,
			value{"in flight", func(i *load.Interval) float64 { return float64(i.InFlight) }},
			value{"waiting for a session", func(i *load.Interval) float64 { return float64(i.Waiting) }}),
	}
	if p.any(func(i *load.Interval) bool { return i.Errors > 0 }) {
		charts = append(charts, p.time("Errors a second", errors,
			value{"errors/s", perSecond(func(i *load.Interval) int64 { return i.Errors })}))
	}
	if p.any(func(i *load.Interval) bool { return orZero(i.Server) > 0 }) {
		charts = append(charts, p.time("CPUs that the server kept busy", cpus,
			value{"CPUs", func(i *load.Interval) float64 { return i.Server }}))
	}
	figures := make([]figure, 0, len(charts))
	for i := range charts {
		figures = append(figures, charts[i].draw())
	}
	return figures
}

// any reports whether something holds for any interval of any run.
func (p *plotter) any(is func(*load.Interval) bool) bool {
	for _, series := range p.series {
		for i := range series {
			if is(&series[i]) {
				return true
			}
		}
	}
	return false
}

func (p *plotter) latencyOverTime() chart {
	c := p.time("Latency of messages over time", axis{},
		value{"p99", ifAnswered(func(i *load.Interval) float64 { return float64(i.P99) })},
		value{"p50", ifAnswered(func(i *load.Interval) float64 { return float64(i.P50) })})
	var seen []float64
	for i := range c.curves {
		seen = append(seen, c.curves[i].ys...)
	}
	c.y = nanosAxis(seen)
	return c
}

// stages returns a small plot for each latency but that of messages, all of them with
// the same scale.
func (p *plotter) stages() []figure {
	var names []string
	for _, name := range latencyNames(p.runs) {
		if name != load.MessageLatency {
			names = append(names, name)
		}
	}
	y := p.latencyAxis(names...)
	figures := make([]figure, 0, len(names))
	for _, name := range names {
		c := p.percentiles(clean(name), name, y)
		c.small, c.x.label = true, ""
		figures = append(figures, c.draw())
	}
	return figures
}

// percentiles returns the chart of one latency, a line for each run that has it.
func (p *plotter) percentiles(title, name string, y axis) chart {
	c := chart{title: title, y: y, x: axis{
		label: "share of all that took at most as long", log: true, tight: true,
		format: percentile, ticks: percentileTicks, must: []float64{median, 10},
	}}
	for i, r := range p.runs {
		line := byPercentile(latency(r, name))
		line.name, line.hue = p.names[i], i
		if len(p.runs) == 1 {
			line.name = clean(name)
		}
		if len(line.xs) > 0 {
			c.curves = append(c.curves, line)
		}
	}
	return c
}

// latencyAxis returns an axis that has room for latencies of all runs.
func (p *plotter) latencyAxis(names ...string) axis {
	var seen []float64
	for _, name := range names {
		for _, r := range p.runs {
			seen = append(seen, byPercentile(latency(r, name)).ys...)
		}
	}
	a := nanosAxis(seen)
	a.must = seen
	return a
}

// spread is how many times the least value the greatest may be for all of them to be
// readable on a linear axis.
const spread = 20

// nanosAxis returns an axis for latencies: a logarithmic one if they are far apart.
func nanosAxis(values []float64) axis {
	lo, hi := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	a := axis{label: "latency", zero: true, format: func(ns float64) string { return inShort(timeUnits, ns) }}
	if a.log = hi > spread*lo; a.log {
		a.label += ", logarithmic"
	}
	return a
}
