package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"millstream/bench/load/report"
)

// tolerance is how much worse a point may be than the best of those with less.
const tolerance = 1.2

// worst returns how much a metric grew at most, beyond its shape.
//
// A metric that may grow linearly is divided by what there is more of. What a message
// costs in any case makes that fall: a second header costs less than the first. Once
// it has fallen it must not rise again, so each point is held against the least of
// those before it and not against the first, which would hide a square behind the
// fixed cost.
func (d *dimension) worst(metric int, y []float64) (factor float64) {
	least := 0.0
	for i := range y {
		each := y[i]
		if d.shapes[metric] == linear {
			each /= d.points[i].n
		}
		if i > 0 {
			factor = max(factor, each/least)
		}
		if i == 0 || each < least {
			least = each
		}
	}
	return factor
}

// verdict says in words what worst has found.
func (d *dimension) verdict(metric int, y []float64) string {
	if len(y) < 2 {
		return "one point tells nothing"
	}
	good, bad, of := "linear or better", "WORSE THAN LINEAR", "for each of them "
	if d.shapes[metric] == level {
		good, bad, of = "does not grow", "GROWS", ""
	}
	factor := d.worst(metric, y)
	if factor > tolerance {
		good = bad
	}
	return fmt.Sprintf("%s: %sat most %.2f times the least with fewer; from the first to the last %.2f times",
		good, of, factor, y[len(y)-1]/y[0])
}

// print prints a table: the metrics, and how much they grew since the first point.
func (d *dimension) print(values [metrics][]float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintf(w, "| %s\t CPU, µs\t p99, µs\t n / first\t CPU / first\t p99 / first\t\n|---\t---\t---\t---\t---\t---\t\n", d.unit)
	for i, p := range d.points {
		fmt.Fprintf(w, "| %.0f\t %.1f\t %.0f\t %.0f\t %.2f\t %.2f\t\n", p.n, values[cpu][i], values[p99][i],
			p.n/d.points[0].n, values[cpu][i]/values[cpu][0], values[p99][i]/values[p99][0])
	}
	w.Flush()
	fmt.Printf("\nCPU %s\np99 %s\n\n", d.verdict(cpu, values[cpu]), d.verdict(p99, values[p99]))
}

// plots returns a plot for each metric, with what it is held against.
func (d *dimension) plots(values [metrics][]float64) (list []report.Growth) {
	if len(d.points) == 0 {
		return nil
	}
	for m := range metrics {
		measured, guide := report.Line{Name: "measured", Y: values[m]}, report.Line{Name: "linear"}
		if d.shapes[m] == level {
			guide.Name = "level"
		}
		var xs []float64
		for _, p := range d.points {
			xs = append(xs, p.n)
			y := values[m][0]
			if d.shapes[m] == linear {
				y *= p.n / d.points[0].n
			}
			guide.Y = append(guide.Y, y)
		}
		list = append(list, report.Growth{
			Title: d.name + ": " + metricNames[m], XLabel: d.unit, YLabel: metricNames[m],
			X: xs, Lines: []report.Line{measured, guide}, LogX: true, LogY: true,
		})
	}
	return list
}
