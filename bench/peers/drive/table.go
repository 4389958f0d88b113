package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// A table prints what was measured: first the ratios, then what they come from.
type table struct {
	w     *tabwriter.Writer
	peers []string
	costs strings.Builder // of the second part
}

func (s *series) table() *table {
	return &table{w: tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug), peers: s.peers}
}

// head prints the names of the columns.
func (t *table) head() {
	columns := []string{"| case"}
	rules := []string{"|---"}
	for _, peer := range t.peers {
		if peer != ours {
			columns, rules = append(columns, " to "+peer), append(rules, "---")
		}
	}
	fmt.Fprintln(t.w, strings.Join(columns, "\t")+"\t")
	fmt.Fprintln(t.w, strings.Join(rules, "\t")+"\t")
}

// row prints the ratios of ours to the others: the median and, in brackets, the
// least and the greatest.
func (t *table) row(c testCase, costs [][]cost) {
	of := slices.Index(t.peers, ours)
	cells := []string{"| " + c.name}
	unit := "µs"
	if c.idle {
		unit = "bytes"
	}
	fmt.Fprintf(&t.costs, "%s, %s:", c.name, unit)
	for p, peer := range t.peers {
		list := costs[p]
		if len(list) == 0 {
			cells = append(cells, " –")
			continue
		}
		server := medianOf(list, func(c cost) float64 { return c.server })
		fmt.Fprintf(&t.costs, " %s %.1f", peer, server)
		if !c.idle {
			fmt.Fprintf(&t.costs, " (load %.1f, p99 %.0f)", medianOf(list, func(c cost) float64 { return c.generator }),
				medianOf(list, func(c cost) float64 { return float64(c.p99) / 1e3 }))
		}
		if p == of || of < 0 {
			continue
		}
		var ratios []float64
		for i := range list {
			ratios = append(ratios, costs[of][i].server/list[i].server)
		}
		cells = append(cells, fmt.Sprintf(" %.2f (%.2f to %.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios)))
	}
	t.costs.WriteByte('\n')
	fmt.Fprintln(t.w, strings.Join(cells, "\t")+"\t")
}

// end prints the costs.
func (t *table) end() {
	t.w.Flush()
	fmt.Print("\nCPU of the server for a message (and of the load; p99 of a message in µs), memory of an idle session:\n\n", t.costs.String())
}

func medianOf[T any](list []T, of func(T) float64) float64 {
	var values []float64
	for _, c := range list {
		values = append(values, of(c))
	}
	return median(values)
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
