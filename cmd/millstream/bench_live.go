package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"millstream/bench/load"
)

// clearLine puts the cursor to the beginning of its line and empties that.
const clearLine = "\r\x1b[K"

// A liveLine is the line of a terminal that tells how a run goes.
type liveLine struct {
	w     io.Writer // nil for none
	width func() int
}

// newLiveLine returns a line on w, or one that says nothing if w is no terminal.
func newLiveLine(w io.Writer) *liveLine {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return &liveLine{}
	}
	width := func() int {
		size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
		if err != nil {
			return -1
		}
		return int(size.Col)
	}
	if width() < 0 {
		return &liveLine{}
	}
	return &liveLine{w: w, width: width}
}

// show draws the line anew. It does not reach the last column, where terminals would
// begin another line.
func (l *liveLine) show(p load.Progress) {
	if l.w == nil {
		return
	}
	text := progressText(&p)
	if width := l.width(); width > 0 && len(text) >= width {
		text = text[:width-1]
	}
	fmt.Fprint(l.w, clearLine+text)
}

// clear takes the line away.
func (l *liveLine) clear() {
	if l.w != nil {
		fmt.Fprint(l.w, clearLine)
	}
}

// progressText tells how far a run is and how the last second was, in ASCII.
func progressText(p *load.Progress) string {
	var far string
	switch {
	case p.WarmUp:
		far = "warm-up"
	case p.Done >= 0:
		far = fmt.Sprintf("%3.0f %%", min(p.Done, 1)*100)
	default:
		far = p.At.Round(time.Second).String()
	}
	rate := 0.0
	if p.Length > 0 {
		rate = float64(p.Messages) / p.Length.Seconds()
	}
	list := []string{
		fmt.Sprintf("%-7s", far), fmt.Sprintf("%.0f messages/s", rate), fmt.Sprintf("%d in flight", p.InFlight),
	}
	if p.Waiting > 0 {
		list = append(list, fmt.Sprintf("%d waiting", p.Waiting))
	}
	return strings.Join(append(list,
		"p50 "+shortTime(p.P50), "p99 "+shortTime(p.P99), fmt.Sprintf("%d errors", p.Failed)), "  ")
}

// shortTime writes a time with three digits or so, in ASCII.
func shortTime(d time.Duration) string {
	unit := time.Nanosecond
	for unit*1000 <= d {
		unit *= 10
	}
	return strings.Replace(d.Round(unit).String(), "µ", "u", 1)
}
