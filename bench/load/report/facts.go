package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"millstream/bench/load"
)

// NameSetting is the setting whose value a run is called by. Where runs stand side by
// side, one without it is called by its number.
const NameSetting = "name"

// A fact is one line about a run.
type fact struct{ name, value string }

// facts returns what a run did, but for its latencies and errors.
func facts(r *load.Result) []fact {
	c := r.Counts
	all := []fact{
		{"messages", fmt.Sprintf("%s/s, %s in %s", number(r.Rate(c.Messages)), count(c.Messages), span(r.Elapsed))},
		{"sessions", fmt.Sprintf("%s/s, %s", number(r.Rate(c.Sessions)), count(c.Sessions))},
		{"sent", fmt.Sprintf("%s/s, %s", size(r.Rate(c.Sent)), size(float64(c.Sent)))},
		{"received", fmt.Sprintf("%s/s, %s", size(r.Rate(c.Received)), size(float64(c.Received)))},
		{"verdicts", verdicts(r)},
	}
	if c.Changes+c.Refused > 0 {
		all = append(all, fact{"changes", fmt.Sprintf("%s, and %s recipients refused", count(c.Changes), count(c.Refused))})
	}
	if c.Aborts+c.Resets+c.Unknown+c.SlowReads > 0 {
		all = append(all, fact{"chaos", fmt.Sprintf("%s aborts, %s resets, %s unknown commands, %s slow reads",
			count(c.Aborts), count(c.Resets), count(c.Unknown), count(c.SlowReads))})
	}
	all = append(all, fact{"generator", usage(&r.Generator, c.Messages)})
	if r.Server != nil {
		all = append(all, fact{"server", usage(r.Server, c.Messages)})
	}
	if r.Idle != nil {
		all = append(all, fact{"idle", idle(r.Idle)})
	}
	return all
}

// verdicts returns how many messages had each verdict, most first.
func verdicts(r *load.Result) string {
	var total int64
	for _, n := range r.Verdicts {
		total += n
	}
	var parts []string
	for _, word := range byCount(r.Verdicts) {
		n := r.Verdicts[word]
		parts = append(parts, fmt.Sprintf("%s %s (%s)", clean(word), count(n), share(n, total)))
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// byCount returns the words of counts, the most frequent first.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

func usage(u *load.Usage, messages int64) string {
	text := fmt.Sprintf("%s CPU per message, %s CPUs busy, memory %s, at most %s",
		nanos(per(float64(u.CPU), float64(messages))), number(u.CPUs), size(float64(u.Memory)), size(float64(u.Peak)))
	if u.PID != 0 {
		text += ", process " + strconv.Itoa(u.PID)
	}
	return text
}

func idle(i *load.Idle) string {
	text := count(int64(i.Sessions)) + " sessions held"
	if i.After == 0 {
		return text
	}
	return fmt.Sprintf("%s, %s of memory each, from %s without them to %s",
		text, size(i.PerSession()), size(float64(i.Before)), size(float64(i.After)))
}

// setup returns how a run was set up, and where it ran.
func setup(r *load.Result) []fact {
	var all []fact
	for _, s := range r.Settings {
		all = append(all, fact{clean(s.Name), clean(s.Value)})
	}
	return append(all,
		fact{"started", date(r.Started, time.RFC3339)},
		fact{"machine", machine(&r.Machine)},
		fact{"protocol", "version " + strconv.FormatUint(uint64(r.Agreed.Version), 10)},
		fact{"actions", r.Agreed.Actions.String()},
		fact{"steps", r.Agreed.Steps.String()},
	)
}

func machine(m *load.Machine) string {
	if m.CPUs == 0 {
		return none
	}
	return clean(fmt.Sprintf("%d × %s, %s/%s, %s", m.CPUs, cmp.Or(m.CPU, "CPU"), m.OS, m.Arch, m.Go))
}

// date returns a time in a layout, unless it is not known.
func date(t time.Time, layout string) string {
	if t.IsZero() {
		return none
	}
	return t.Format(layout)
}

// called returns what to call each of the runs.
func called(runs []*load.Result) []string {
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = "run " + strconv.Itoa(i+1)
		for _, s := range r.Settings {
			if s.Name == NameSetting && strings.TrimSpace(s.Value) != "" {
				names[i] = clean(s.Value)
			}
		}
	}
	for i, name := range names {
		if slices.Index(names, name) != i { // two runs of one name cannot be told apart
			names[i] = fmt.Sprintf("%s (run %d)", name, i+1)
		}
	}
	return names
}

// A latencyRow is one latency as tables have it: its name, how many there were, and
// the percentiles below.
type latencyRow struct {
	name   string
	values []string
}

// latencyHead is the head of a table of latencies.
var latencyHead = []string{"count", "p50", "p90", "p99", "p99.9", "max"}

// percents are the percentiles of latencyHead.
var percents = []float64{50, 90, 99, 99.9, 100}

func latencyRows(r *load.Result) []latencyRow {
	var rows []latencyRow
	for i := range r.Latencies {
		l := &r.Latencies[i]
		if l.Hist == nil {
			continue
		}
		rows = append(rows, latencyRow{clean(l.Name), latencyValues(l)})
	}
	return rows
}

func latencyValues(l *load.Latency) []string {
	n := l.Hist.TotalCount()
	values := []string{count(n)}
	for _, ns := range l.Hist.ValueAtPercentilesSlice(percents) {
		if n == 0 {
			values = append(values, none)
			continue
		}
		values = append(values, nanos(float64(ns)))
	}
	return values
}

// An errorRow is one kind of error, or one error of the kind above.
type errorRow struct {
	kind, count string
	samples     []string
}

// maxSamples is how many errors of a kind are shown.
const maxSamples = 3

func errorRows(r *load.Result) []errorRow {
	var rows []errorRow
	for _, kind := range byCount(r.Errors) {
		row := errorRow{kind: clean(kind), count: count(r.Errors[kind])}
		for _, s := range r.Samples {
			if s.Kind == kind && len(row.samples) < maxSamples {
				row.samples = append(row.samples, fmt.Sprintf("at %s: %s", span(s.At), clean(s.Text)))
			}
		}
		rows = append(rows, row)
	}
	return rows
}
