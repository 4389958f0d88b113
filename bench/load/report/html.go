package report

import (
	"crypto/sha256"
	_ "embed" // the style and the templates
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"time"

	"millstream/bench/load"
)

//go:embed style.css
var style string

//go:embed page.html
var page string

// pages are the templates. A page allows its own style and nothing else: no script,
// and nothing from elsewhere, so that it can be opened wherever it came from.
var pages = template.Must(template.New("report").Parse(strings.NewReplacer(
	"STYLE-SHA256", styleHash(style),
	"STYLE-TEXT", style,
).Replace(page)))

func styleHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// HTML writes runs as one HTML file that needs nothing else. Two or more of them are
// set side by side, and each number with how many times that of the first run it is.
func HTML(w io.Writer, runs ...*load.Result) error {
	if err := checkRuns(runs); err != nil {
		return err
	}
	return pages.ExecuteTemplate(w, "runs", newPage(runs))
}

// A runPage is what the template of runs shows.
type runPage struct {
	Title    string
	Runs     []htmlRun
	Cards    []htmlCard // of a single run
	Compared htmlTable  // of many
	Figures  []figure
	Stages   []figure
	Latency  htmlTable
	Facts    htmlTable
	Setup    htmlTable
	Warned   bool
	Failed   bool
}

// A htmlRun is what is not in a table or a plot.
type htmlRun struct {
	Name, Class, Started, Elapsed string
	Failures                      string
	Errors                        []htmlError
	Warnings                      []string
}

type htmlError struct {
	Kind, Count string
	Samples     []string
}

// A htmlCard is a number that stands large at the top.
type htmlCard struct{ Name, Value, Note string }

type htmlTable struct {
	Head []htmlCell
	Rows []htmlRow
}

type htmlRow struct {
	Name  string // before the cells, if the table has names
	Class string
	Cells []htmlCell
}

type htmlCell struct{ Text, Class string }

func newPage(runs []*load.Result) *runPage {
	plots := newPlotter(runs)
	p := &runPage{
		Title:   "Load test: " + strings.Join(plots.names, " and "),
		Figures: plots.figures(),
		Stages:  plots.stages(),
		Latency: latencyTable(runs, plots.names),
		Facts:   factTable(runs, plots.names, facts),
		Setup:   factTable(runs, plots.names, setup),
	}
	if len(runs) == 1 {
		p.Cards = cards(runs[0])
		if plots.names[0] == "run 1" { // it has no name
			p.Title = "Load test"
		}
	} else {
		p.Compared = compareTable(runs, plots.names)
	}
	for i, r := range runs {
		run := newHTMLRun(r, plots.names[i])
		run.Class = (&curve{hue: i}).class()
		p.Failed = p.Failed || len(run.Errors) > 0
		p.Warned = p.Warned || len(run.Warnings) > 0
		p.Runs = append(p.Runs, run)
	}
	return p
}

func newHTMLRun(r *load.Result, name string) htmlRun {
	run := htmlRun{
		Name:     name,
		Started:  date(r.Started, time.RFC1123),
		Elapsed:  span(r.Elapsed),
		Failures: count(r.Failures()),
	}
	for _, row := range errorRows(r) {
		run.Errors = append(run.Errors, htmlError{row.kind, row.count, row.samples})
	}
	for _, warning := range r.Warnings {
		run.Warnings = append(run.Warnings, clean(warning))
	}
	return run
}

// cards returns the numbers to begin with.
func cards(r *load.Result) []htmlCard {
	all := []htmlCard{{"messages/s", number(r.Rate(r.Counts.Messages)), count(r.Counts.Messages) + " messages"}}
	for i, percent := range percents {
		if percent == 90 || percent == 100 {
			continue
		}
		all = append(all, htmlCard{"latency " + latencyHead[i+1], nanos(quantile(load.MessageLatency, percent)(r)), "of a message"})
	}
	if r.Server != nil {
		all = append(all, htmlCard{"server CPU", nanos(cpuPerMessage(r.Server, r)), "for a message"})
	}
	attempts := r.Counts.Messages + r.Failures()
	return append(all, htmlCard{"errors", count(r.Failures()), share(r.Failures(), attempts) + " of what was tried"})
}
