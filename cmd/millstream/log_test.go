package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"millstream/cmd/internal/config"
)

// slowWriter writes when it is allowed to.
type slowWriter struct {
	begun, allowed chan struct{}
	bytes.Buffer
}

func (w *slowWriter) Write(p []byte) (int, error) {
	select {
	case w.begun <- struct{}{}:
	default:
	}
	<-w.allowed
	return w.Buffer.Write(p)
}

// TestLineWriter checks that who logs is not held up by who reads the log, and that
// what is dropped is counted.
func TestLineWriter(t *testing.T) {
	w := &slowWriter{begun: make(chan struct{}, 1), allowed: make(chan struct{})}
	l := newLineWriter(plainSink{w}, slog.NewJSONHandler(&w.Buffer, nil))
	const extra = 10
	_ = l.put(0, []byte("first\n"))
	<-w.begun // the goroutine has it and waits
	for i := range logBacklog + extra {
		_ = l.put(0, fmt.Appendf(nil, "%d\n", i))
	}
	close(w.allowed)
	l.Close()
	_ = l.put(0, []byte("too late\n"))
	text := w.String()
	if !strings.HasPrefix(text, "first\n") || !strings.Contains(text, fmt.Sprintf(`"lines":%d}`, extra)) || strings.Contains(text, "late\n") {
		t.Errorf("log begins %.200q", text)
	}
	if n := strings.Count(text, "\n"); n != logBacklog+2 {
		t.Errorf("%d lines", n)
	}
}

// TestLineWriterStuck checks that a log which nobody reads does not keep the program
// from ending.
func TestLineWriterStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWriter{allowed: make(chan struct{})}
		log, closeLog, err := newLogger(plainSink{w}, logText, false, slog.LevelInfo)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("a")
		begun := time.Now()
		closeLog()
		if took := time.Since(begun); took != logCloseWithin {
			t.Errorf("it took %v", took)
		}
		close(w.allowed)
		closeLog()
		if got := w.String(); got != "level=INFO msg=a\n" {
			t.Errorf("log %q", got)
		}
	})
}

// refusing is a sink that takes nothing for a while.
type refusing struct {
	plainSink
	left int
}

func (s *refusing) writeLine(n severity, line []byte) error {
	if s.left--; s.left >= 0 {
		return errors.New("full")
	}
	return s.plainSink.writeLine(n, line)
}

// TestLineWriterRefused checks that lines which nobody takes are counted, also if nobody
// takes that.
func TestLineWriterRefused(t *testing.T) {
	var text bytes.Buffer
	log, closeLog, err := newLogger(&refusing{plainSink{&text}, 3}, logText, false, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		log.Info("line", "n", i)
	}
	closeLog()
	want := "level=INFO msg=line n=3\nlevel=WARN msg=\"log too slow or not taken, lines dropped\" lines=3\nlevel=INFO msg=line n=4\n"
	if text.String() != want {
		t.Errorf("log\n%swant\n%s", &text, want)
	}
}

// TestJournalLines checks that each level has its severity, and that what a logger has
// beforehand is in its lines.
func TestJournalLines(t *testing.T) {
	for _, tt := range []struct {
		level slog.Level
		want  string
	}{
		{slog.LevelDebug - 4, "<7>level=DEBUG-4 msg=x a=1 g.b=2\n"},
		{slog.LevelDebug, "<7>level=DEBUG msg=x a=1 g.b=2\n"},
		{slog.LevelInfo - 1, "<7>level=DEBUG+3 msg=x a=1 g.b=2\n"},
		{slog.LevelInfo, "<6>level=INFO msg=x a=1 g.b=2\n"},
		{slog.LevelWarn - 1, "<6>level=INFO+3 msg=x a=1 g.b=2\n"},
		{slog.LevelWarn, "<4>level=WARN msg=x a=1 g.b=2\n"},
		{slog.LevelError, "<3>level=ERROR msg=x a=1 g.b=2\n"},
		{slog.LevelError + 4, "<3>level=ERROR+4 msg=x a=1 g.b=2\n"},
	} {
		var text bytes.Buffer
		l := &config.Log{Format: logJournal}
		log, closeLog, err := openLog(l, slog.LevelDebug-4, &text)
		if err != nil {
			t.Fatal(err)
		}
		log.With("a", 1).WithGroup("g").Log(t.Context(), tt.level, "x", "b", 2)
		closeLog()
		if text.String() != tt.want {
			t.Errorf("%v: %q, want %q", tt.level, &text, tt.want)
		}
	}
}

// TestLogFormats checks what is logged where.
func TestLogFormats(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	for _, tt := range []struct{ format, stream, begin string }{
		{logAuto, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), "<6>level=INFO"},
		{logAuto, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino+1), "time="},
		{logAuto, "nonsense", "time="},
		{logAuto, "", "time="},
		{logText, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), "time="},
		{logJSON, fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), `{"time":`},
		{logJournal, "", "<6>level=INFO"},
	} {
		t.Setenv("JOURNAL_STREAM", tt.stream)
		l := &config.Log{Format: tt.format}
		log, closeLog, err := openLog(l, slog.LevelInfo, file)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("not this")
		log.Info("x")
		closeLog()
		text, err := os.ReadFile(file.Name())
		if err != nil || !strings.HasPrefix(string(text), tt.begin) || strings.Count(string(text), "\n") != 1 {
			t.Errorf("%s with JOURNAL_STREAM=%s: %q, %v", tt.format, tt.stream, text, err)
		}
		if err := errors.Join(file.Truncate(0), seekStart(file)); err != nil {
			t.Fatal(err)
		}
	}
	if isJournal(io.Discard, "1:1") {
		t.Error("what is no file is the journal")
	}
}

func seekStart(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// TestJournal runs the program as systemd does, with a socket of the journal for its
// standard error: once until it is told to end, once until it fails.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		socket string
		status int
		begin  string
	}{
		{filepath.Join(dir, "s"), 0, "<6>level=INFO msg=listening "},
		{blocked, 1, "<3>millstream: listen on "},
	} {
		c, journal := underJournal(t, "serve", "-p", "unix:"+tt.socket, "--admin", "")
		line, err := journal.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, tt.begin) {
			t.Errorf("%q, %v, want %q", line, err, tt.begin)
		}
		if tt.status == 0 { // else it ends by itself
			_ = c.Process.Signal(os.Interrupt)
		}
		_, _ = io.Copy(io.Discard, journal)
		_ = c.Wait()
		if status := c.ProcessState.ExitCode(); status != tt.status {
			t.Errorf("exit status %d, want %d", status, tt.status)
		}
	}
}

// underJournal starts the program, and returns what reads the lines of the journal.
func underJournal(t *testing.T, args ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(ends[0])
	syscall.CloseOnExec(ends[1])
	journal, stderr := os.NewFile(uintptr(ends[0]), "journal"), os.NewFile(uintptr(ends[1]), "stderr")
	t.Cleanup(func() { _ = journal.Close() })
	defer stderr.Close()
	info, err := stderr.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), "MILLSTREAM_TEST_MAIN=1", fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino))
	c.Stderr = stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(journal)
}
