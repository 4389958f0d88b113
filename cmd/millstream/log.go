package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
)

// logBacklog is how many lines may wait to be written.
const logBacklog = 4096

// newLogger returns a logger of a format, "text" or "json", that writes to w from a
// goroutine of its own. A line about what is traced says under which numbers. close
// writes what is left.
func newLogger(w io.Writer, format string, level slog.Level) (log *slog.Logger, closeLog func(), err error) {
	lines := newLineWriter(w)
	options := &slog.HandlerOptions{Level: level}
	switch format {
	case "text":
		return slog.New(traced{slog.NewTextHandler(lines, options)}), lines.Close, nil
	case "json":
		return slog.New(traced{slog.NewJSONHandler(lines, options)}), lines.Close, nil
	}
	lines.Close()
	return nil, nil, usageError{fmt.Errorf("log format %q is neither text nor json", format)}
}

// lineWriter writes lines without making those wait who log: sessions do so on
// their event loop, and a log that is not read must not stop the mail. Lines that
// find too many before them are dropped, and counted in a line.
type lineWriter struct {
	w       io.Writer
	lines   chan []byte
	dropped atomic.Int64
	close   sync.Once
	done    chan struct{}
}

func newLineWriter(w io.Writer) *lineWriter {
	l := &lineWriter{w: w, lines: make(chan []byte, logBacklog), done: make(chan struct{})}
	go l.run()
	return l
}

// Write takes one line. It does not fail.
func (l *lineWriter) Write(line []byte) (int, error) {
	select {
	case l.lines <- append([]byte(nil), line...):
	default:
		l.dropped.Add(1)
	}
	return len(line), nil
}

// Close writes what is left. Nothing may be written after it.
func (l *lineWriter) Close() {
	l.close.Do(func() { close(l.lines) })
	<-l.done
}

func (l *lineWriter) run() {
	defer close(l.done)
	for line := range l.lines {
		_, _ = l.w.Write(line)
		if n := l.dropped.Swap(0); n > 0 {
			_, _ = fmt.Fprintf(l.w, "level=WARN msg=\"log too slow, lines dropped\" lines=%d\n", n)
		}
	}
}
