package report

import (
	"errors"
	"slices"

	"millstream/bench/load"
)

// errNoRun is that there is nothing to make a report of.
var errNoRun = errors.New("there is no run to report")

func checkRuns(runs []*load.Result) error {
	if len(runs) == 0 || slices.Contains(runs, nil) {
		return errNoRun
	}
	return nil
}

// A union gathers the names of many runs: each once, in the order of the run that had
// it first, and behind what stood before it there.
type union struct {
	names []string
	at    int // where in names the next new one goes
}

// next begins with the names of another run.
func (u *union) next() { u.at = 0 }

func (u *union) add(name string) {
	if i := slices.Index(u.names, name); i >= 0 {
		u.at = i + 1
		return
	}
	u.names = slices.Insert(u.names, u.at, name)
	u.at++
}

// A factRow is one fact of all runs.
type factRow struct {
	name   string
	values []string
	differ bool
}

// sideBySide returns the facts that any of the runs has.
func sideBySide(runs []*load.Result, of func(*load.Result) []fact) []factRow {
	var u union
	values := make([]map[string]string, len(runs))
	for i, r := range runs {
		u.next()
		values[i] = map[string]string{}
		for _, f := range of(r) {
			u.add(f.name)
			values[i][f.name] = f.value
		}
	}
	rows := make([]factRow, 0, len(u.names))
	for _, name := range u.names {
		row := factRow{name: name}
		for _, of := range values {
			value, ok := of[name]
			if !ok {
				value = none
			}
			row.differ = row.differ || len(row.values) > 0 && row.values[0] != value
			row.values = append(row.values, value)
		}
		rows = append(rows, row)
	}
	return rows
}
