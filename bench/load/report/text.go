package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"millstream/bench/load"
)

// Text writes what a run has shown for a terminal: rates a second, bytes in powers of
// ten, and latencies each in the unit that fits it. The warnings come last.
func Text(w io.Writer, r *load.Result) error {
	var b strings.Builder
	for _, f := range facts(r) {
		line(&b, f.name, f.value)
	}
	textErrors(&b, r)
	textLatencies(&b, r)
	for _, warning := range r.Warnings {
		b.WriteString("\nwarning: " + clean(warning) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func line(b *strings.Builder, name, value string) { fmt.Fprintf(b, "%-11s%s\n", name, value) }

func textErrors(b *strings.Builder, r *load.Result) {
	rows := errorRows(r)
	if len(rows) == 0 {
		line(b, "errors", "none")
		return
	}
	line(b, "errors", count(r.Failures()))
	for _, row := range rows {
		line(b, "  "+row.kind, row.count)
		for _, sample := range row.samples {
			line(b, "", sample)
		}
	}
}

func textLatencies(b *strings.Builder, r *load.Result) {
	table := [][]string{append([]string{"latency"}, latencyHead...)}
	for _, row := range latencyRows(r) {
		table = append(table, append([]string{row.name}, row.values...))
	}
	if len(table) > 1 {
		b.WriteByte('\n')
		columns(b, table)
	}
}

// Compare writes the numbers of runs side by side for a terminal, each with how many
// times that of the first run it is.
func Compare(w io.Writer, runs ...*load.Result) error {
	if err := checkRuns(runs); err != nil {
		return err
	}
	head := []string{""}
	for i, name := range called(runs) {
		head = append(head, name)
		if i > 0 {
			head = append(head, "ratio")
		}
	}
	table := [][]string{head}
	for _, row := range compared(runs) {
		line := []string{row.name}
		for i, cell := range row.cells {
			line = append(line, cell.value)
			if i > 0 {
				line = append(line, cell.ratio)
			}
		}
		table = append(table, line)
	}
	var b strings.Builder
	columns(&b, table)
	for i, name := range called(runs) {
		for _, warning := range runs[i].Warnings {
			fmt.Fprintf(&b, "\nwarning: %s: %s\n", name, clean(warning))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columns writes a table: the first column to the left, numbers to the right.
func columns(b *strings.Builder, table [][]string) {
	var widths []int
	for _, row := range table {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range table {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString(cell + pad)
				continue
			}
			b.WriteString("  " + pad + cell)
		}
		b.WriteByte('\n')
	}
}
