// Package report writes down what runs of the load generator have shown.
//
// [Text] is for a terminal, [JSON] for programs and for later, [HDR] for the tools
// around HdrHistogram, [HTML] for a reader. All of them are made of a [load.Result]
// and of nothing else, and [ReadJSON] gives one back with all that is in it: a report
// of one kind can be made long after the run, and two runs can be set side by side,
// with [Compare] in text and with HTML in plots.
//
//	        ┌──▶ Text, Compare
//	Result ─┼──▶ HDR
//	   ▲    ├──▶ HTML
//	   │    └──▶ JSON ──▶ file
//	   └───── ReadJSON ◀──┘
//
// [HTMLGrowth] plots how a cost grows, from numbers of many runs. [Limits] says
// whether a run was good enough.
//
// What runs are called and what a milter answers was written by others. It is
// escaped for HTML, and characters that a terminal obeys are replaced.
package report
