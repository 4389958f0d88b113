package report

import (
	"fmt"
	"io"
)

// A Growth is a plot of how numbers grow with another one, such as the cost of a
// message with the number of sessions. The labels have the units.
type Growth struct {
	Title          string
	XLabel, YLabel string
	X              []float64
	Lines          []Line
	LogX, LogY     bool // a logarithmic axis; it leaves out what is not above zero
}

// A Line is one line of a [Growth].
type Line struct {
	Name string
	Y    []float64 // one for each X; NaN is a gap
}

// HTMLGrowth writes plots, and the numbers in them, as one HTML file that needs
// nothing else.
func HTMLGrowth(w io.Writer, title string, plots ...Growth) error {
	page := growthPage{Title: clean(title)}
	for i := range plots {
		g := &plots[i]
		for _, line := range g.Lines {
			if len(line.Y) != len(g.X) {
				return fmt.Errorf("the line %q of the plot %q has %d values, and there are %d to grow with",
					line.Name, g.Title, len(line.Y), len(g.X))
			}
		}
		c := g.chart()
		page.Plots = append(page.Plots, growthPlot{c.draw(), g.table()})
	}
	return pages.ExecuteTemplate(w, "growth", page)
}

type growthPage struct {
	Title string
	Plots []growthPlot
}

type growthPlot struct {
	Figure figure
	Table  htmlTable
}

func (g *Growth) chart() chart {
	c := chart{
		title: clean(g.Title),
		x:     axis{label: clean(g.XLabel), log: g.LogX, tight: true},
		y:     axis{label: clean(g.YLabel), log: g.LogY, zero: true},
	}
	for i, line := range g.Lines {
		c.curves = append(c.curves, curve{name: clean(line.Name), hue: i, dashed: i%(2*hues) >= hues, xs: g.X, ys: line.Y})
	}
	return c
}

// table returns the numbers of a plot.
func (g *Growth) table() htmlTable {
	t := htmlTable{Head: []htmlCell{{Text: clean(g.XLabel)}}}
	for _, line := range g.Lines {
		t.Head = append(t.Head, htmlCell{Text: clean(line.Name)})
	}
	for i, x := range g.X {
		row := htmlRow{Cells: []htmlCell{{Text: number(x)}}}
		for _, line := range g.Lines {
			row.Cells = append(row.Cells, htmlCell{Text: number(line.Y[i])})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
