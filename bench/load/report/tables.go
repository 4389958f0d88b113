package report

import "millstream/bench/load"

// latencyTable returns the latencies: of many runs, a row for each of them under the
// name of the latency.
func latencyTable(runs []*load.Result, names []string) htmlTable {
	t := htmlTable{Head: make([]htmlCell, 1)}
	if len(runs) > 1 {
		t.Head = append(t.Head, htmlCell{Text: "run", Class: "name"})
	}
	for _, head := range latencyHead {
		t.Head = append(t.Head, htmlCell{Text: head})
	}
	for _, name := range latencyNames(runs) {
		label := clean(name)
		for i, r := range runs {
			l := latency(r, name)
			if l == nil {
				continue
			}
			row := htmlRow{Name: label}
			label = ""
			if len(runs) > 1 {
				row.Cells = []htmlCell{{Text: names[i], Class: "name"}}
			}
			for _, value := range latencyValues(l) {
				row.Cells = append(row.Cells, htmlCell{Text: value})
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// factTable returns facts of runs, a column for each of them. What differs is marked.
func factTable(runs []*load.Result, names []string, of func(*load.Result) []fact) htmlTable {
	var t htmlTable
	if len(runs) > 1 {
		t.Head = make([]htmlCell, 1)
		for _, name := range names {
			t.Head = append(t.Head, htmlCell{Text: name, Class: "text"})
		}
	}
	for _, f := range sideBySide(runs, of) {
		row := htmlRow{Name: f.name}
		if f.differ {
			row.Class = "differ"
		}
		for _, value := range f.values {
			row.Cells = append(row.Cells, htmlCell{Text: value, Class: "text"})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// changeClasses are the classes of cells by their change.
var changeClasses = map[int]string{-1: "worse", 0: "ratio", 1: "better"}

// compareTable returns the numbers of runs with their ratios.
func compareTable(runs []*load.Result, names []string) htmlTable {
	t := htmlTable{Head: make([]htmlCell, 1)}
	for i, name := range names {
		t.Head = append(t.Head, htmlCell{Text: name})
		if i > 0 {
			t.Head = append(t.Head, htmlCell{Text: "ratio"})
		}
	}
	for _, m := range compared(runs) {
		row := htmlRow{Name: m.name}
		for i, cell := range m.cells {
			row.Cells = append(row.Cells, htmlCell{Text: cell.value})
			if i > 0 {
				row.Cells = append(row.Cells, htmlCell{Text: cell.ratio, Class: changeClasses[cell.change]})
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
