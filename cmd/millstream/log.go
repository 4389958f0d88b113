package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"log/syslog"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"millstream/cmd/internal/config"
)

// The formats of the log.
const (
	logAuto    = "auto"    // logJournal where it goes to the journal, else logText
	logText    = "text"    // key=value
	logJSON    = "json"    // an object a line
	logJournal = "journal" // text as the journal of systemd wants it
)

// logHelp tells of the log.
const logHelp = `The log goes to standard error. Where that is read by the journal of systemd, lines
begin with their severity, such as <4> for a warning, and have no time of their own;
--log-format says text or json for another form. With --syslog it goes to the syslog
daemon of this machine instead, with the facility mail unless another is named, as in
--syslog=local3. Nobody waits for the log: lines that are not taken in time are dropped
and counted.`

// logFormats are the formats that can be asked for.
var logFormats = []string{logAuto, logText, logJSON, logJournal}

// A severity is how bad a line is: an index of severities.
type severity int

// severities are those that lines have, worst first: from which level on, and what they
// are to syslog and to the journal.
var severities = [...]struct {
	from     slog.Level
	priority syslog.Priority
	write    func(*syslog.Writer, string) error
}{
	{slog.LevelError, syslog.LOG_ERR, (*syslog.Writer).Err},
	{slog.LevelWarn, syslog.LOG_WARNING, (*syslog.Writer).Warning},
	{slog.LevelInfo, syslog.LOG_INFO, (*syslog.Writer).Info},
	{math.MinInt, syslog.LOG_DEBUG, (*syslog.Writer).Debug},
}

// severityOf returns the severity of a level.
func severityOf(level slog.Level) (n severity) {
	for level < severities[n].from {
		n++
	}
	return n
}

// prefix returns what tells the journal of the severity of a line.
func (n severity) prefix() string { return fmt.Sprintf("<%d>", severities[n].priority) }

// openLog opens the log that a configuration asks for: that of syslog, or w. closeLog
// writes what is left.
func openLog(l *config.Log, level slog.Leveler, w io.Writer) (log *slog.Logger, closeLog func(), err error) {
	format := l.Format
	if format == logAuto {
		if format = logText; l.Syslog == "" && isJournal(w, os.Getenv("JOURNAL_STREAM")) {
			format = logJournal
		}
	}
	var sink lineSink
	switch {
	case l.Syslog == "" && format == logJournal:
		sink = &journalSink{w: w}
	case l.Syslog == "":
		sink = plainSink{w}
	case format == logJournal:
		return nil, nil, usageError{errors.New("log format journal is for standard error: leave out --syslog or --log-format")}
	default:
		if sink, err = openSyslog(l.Syslog, l.SyslogSocket); err != nil {
			return nil, nil, err
		}
	}
	return newLogger(sink, format, l.Syslog == "" && format != logJournal, level)
}

// newLogger returns a logger that writes to a sink from a goroutine of its own, with the
// time if that is not added there. A line about what is traced says under which numbers.
func newLogger(sink lineSink, format string, timed bool, level slog.Leveler) (log *slog.Logger, closeLog func(), err error) {
	options := &slog.HandlerOptions{Level: level}
	var handler func(w io.Writer) slog.Handler
	switch format {
	case logText, logJournal:
		handler = func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, options) }
	case logJSON:
		handler = func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, options) }
	default:
		_ = sink.Close() // it has nothing yet
		return nil, nil, usageError{fmt.Errorf("log format %q is none of %s", format, strings.Join(logFormats, ", "))}
	}
	lines := newLineWriter(sink, split(timed, handler, sink.writeLine))
	return slog.New(traced{split(timed, handler, lines.put)}), lines.Close, nil
}

// isJournal reports whether w is what the variable JOURNAL_STREAM says the journal of
// systemd reads: it has the device and the inode of standard output and error of a unit.
func isJournal(w io.Writer, stream string) bool {
	file, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok || stream == "" {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && fmt.Sprintf("%d:%d", stat.Dev, stat.Ino) == stream
}

// bySeverity is a handler that has one for the lines of each severity.
type bySeverity struct {
	timed    bool // lines have the time
	handlers [len(severities)]slog.Handler
}

// split returns a handler that puts its lines with their severity. handler returns what
// formats them.
func split(timed bool, handler func(io.Writer) slog.Handler, put func(severity, []byte) error) *bySeverity {
	h := &bySeverity{timed: timed}
	for n := range h.handlers {
		h.handlers[n] = handler(severityWriter{severity(n), put})
	}
	return h
}

// severityWriter takes lines of one severity.
type severityWriter struct {
	n   severity
	put func(severity, []byte) error
}

// Write takes one line.
func (w severityWriter) Write(line []byte) (int, error) { return len(line), w.put(w.n, line) }

// Enabled is [slog.Handler].
func (h *bySeverity) Enabled(ctx context.Context, level slog.Level) bool {
	return h.handlers[0].Enabled(ctx, level)
}

// Handle is [slog.Handler].
func (h *bySeverity) Handle(ctx context.Context, r slog.Record) error {
	if !h.timed {
		r.Time = time.Time{}
	}
	return h.handlers[severityOf(r.Level)].Handle(ctx, r)
}

// WithAttrs is [slog.Handler].
func (h *bySeverity) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

// WithGroup is [slog.Handler].
func (h *bySeverity) WithGroup(name string) slog.Handler {
	return h.with(func(one slog.Handler) slog.Handler { return one.WithGroup(name) })
}

func (h *bySeverity) with(change func(slog.Handler) slog.Handler) slog.Handler {
	changed := *h
	for n, one := range h.handlers {
		changed.handlers[n] = change(one)
	}
	return &changed
}
