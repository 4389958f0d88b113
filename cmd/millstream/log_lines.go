package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// logBacklog is how many lines may wait to be written.
const logBacklog = 4096

// logCloseWithin is how long the last lines may take.
const logCloseWithin = 3 * time.Second

// A lineSink takes lines, each with its newline. It may block. Its methods are for one
// goroutine.
type lineSink interface {
	writeLine(n severity, line []byte) error
	Close() error
}

// plainSink writes lines as they are.
type plainSink struct{ w io.Writer }

func (s plainSink) writeLine(_ severity, line []byte) error {
	_, err := s.w.Write(line)
	return err
}

// Close is [io.Closer]. It is standard error, which stays open.
func (plainSink) Close() error { return nil }

// journalSink writes lines with a prefix that tells the journal how bad they are.
type journalSink struct {
	w   io.Writer
	buf []byte
}

func (s *journalSink) writeLine(n severity, line []byte) error {
	s.buf = append(append(s.buf[:0], n.prefix()...), line...)
	_, err := s.w.Write(s.buf)
	return err
}

// Close is [io.Closer]. It is standard error, which stays open.
func (*journalSink) Close() error { return nil }

// lineWriter writes lines without making those wait who log: sessions do so on
// their event loop, and a log that is not read must not stop the mail. Lines that
// find too many before them, or that nobody takes, are dropped, and counted in a line.
type lineWriter struct {
	sink    lineSink
	notice  slog.Handler // writes to sink at once
	lines   chan logLine
	dropped atomic.Int64
	close   sync.Once
	closing chan struct{}
	done    chan struct{}
}

type logLine struct {
	n    severity
	text []byte
}

// newLineWriter returns a lineWriter that closes sink in the end. notice writes to the
// sink itself.
func newLineWriter(sink lineSink, notice slog.Handler) *lineWriter {
	l := &lineWriter{
		sink: sink, notice: notice, lines: make(chan logLine, logBacklog),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// put takes one line. It does not fail.
func (l *lineWriter) put(n severity, line []byte) error {
	select {
	case <-l.closing:
		return nil
	default:
	}
	select {
	case l.lines <- logLine{n, append([]byte(nil), line...)}:
	default:
		l.dropped.Add(1)
	}
	return nil
}

// Close writes what is left, as far as that can be done in logCloseWithin. What comes
// after it is dropped.
func (l *lineWriter) Close() {
	l.close.Do(func() { close(l.closing) })
	limit := time.NewTimer(logCloseWithin)
	defer limit.Stop()
	select {
	case <-l.done:
	case <-limit.C: // nobody reads it
	}
}

func (l *lineWriter) run() {
	defer close(l.done)
	for {
		select {
		case line := <-l.lines:
			l.write(line)
			continue
		case <-l.closing:
		}
		for {
			select {
			case line := <-l.lines:
				l.write(line)
			default:
				_ = l.sink.Close() // all has been written
				return
			}
		}
	}
}

// write writes a line, and how many were not.
func (l *lineWriter) write(line logLine) {
	if l.sink.writeLine(line.n, line.text) != nil {
		l.dropped.Add(1)
		return
	}
	n := l.dropped.Swap(0)
	if n == 0 {
		return
	}
	notice := slog.NewRecord(time.Now(), slog.LevelWarn, "log too slow or not taken, lines dropped", 0)
	notice.AddAttrs(slog.Int64("lines", n))
	if l.notice.Handle(context.Background(), notice) != nil {
		l.dropped.Add(n) // for another time
	}
}
