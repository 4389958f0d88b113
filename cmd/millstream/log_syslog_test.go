package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/cmd/internal/config"
)

// syslogDaemon is the socket of a syslog daemon, which the test reads.
type syslogDaemon struct {
	*net.UnixConn
	path string
}

func startSyslog(t *testing.T, path string) *syslogDaemon {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	return &syslogDaemon{c, path}
}

// next returns the next message.
func (d *syslogDaemon) next(t *testing.T) string {
	t.Helper()
	b := make([]byte, 64<<10)
	n, err := d.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// TestSyslog checks what a syslog daemon gets: facility, severity, the time and the
// program as it wants them, and the line.
func TestSyslog(t *testing.T) {
	d := startSyslog(t, filepath.Join(t.TempDir(), "log"))
	for _, tt := range []struct {
		facility, format string
		level            slog.Level
		want             string
	}{
		{"mail", logAuto, slog.LevelError, `<19>T millstream[P]: level=ERROR msg=x a="1 2"`},
		{"mail", logText, slog.LevelWarn, `<20>T millstream[P]: level=WARN msg=x a="1 2"`},
		{"mail", logText, slog.LevelInfo, `<22>T millstream[P]: level=INFO msg=x a="1 2"`},
		{"daemon", logText, slog.LevelInfo, `<30>T millstream[P]: level=INFO msg=x a="1 2"`},
		{"local7", logText, slog.LevelDebug, `<191>T millstream[P]: level=DEBUG msg=x a="1 2"`},
		{"local0", logJSON, slog.LevelInfo, `<134>T millstream[P]: {"level":"INFO","msg":"x","a":"1 2"}`},
	} {
		leaks := goleak.IgnoreCurrent()
		l := &config.Log{Format: tt.format, Syslog: tt.facility, SyslogSocket: d.path}
		var text bytes.Buffer
		log, closeLog, err := openLog(l, slog.LevelDebug, &text)
		if err != nil {
			t.Fatal(err)
		}
		log.Log(t.Context(), tt.level, "x", "a", "1 2")
		got := d.next(t)
		got = regexp.MustCompile(`>\w{3} [ \d]\d \d\d:\d\d:\d\d `).ReplaceAllString(got, ">T ")
		if got = strings.Replace(got, fmt.Sprintf("[%d]", os.Getpid()), "[P]", 1); got != tt.want+"\n" {
			t.Errorf("%q, want %q", got, tt.want)
		}
		closeLog()
		goleak.VerifyNone(t, leaks)
		if text.Len() > 0 {
			t.Errorf("standard error has %q", &text)
		}
	}
}

// TestSyslogAgain checks that a daemon which was away gets lines again, and is told how
// many it has missed.
func TestSyslogAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d := startSyslog(t, path)
	sink, err := openSyslog(defaultFacility, path)
	if err != nil {
		t.Fatal(err)
	}
	l := newLineWriter(sink, split(false, func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }, sink.writeLine))
	defer l.Close()
	_ = l.put(severityOf(slog.LevelInfo), []byte("before\n"))
	d.next(t)
	_ = d.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_ = l.put(0, []byte("missed\n"))
	}
	waitFor(t, "three lines are lost", func() bool { return l.dropped.Load() == 3 })
	d = startSyslog(t, path)
	_ = l.put(severityOf(slog.LevelInfo), []byte("after\n"))
	if got := d.next(t); !strings.HasPrefix(got, "<22>") || !strings.HasSuffix(got, ": after\n") {
		t.Errorf("%q", got)
	}
	if got := d.next(t); !strings.HasPrefix(got, "<20>") || !strings.HasSuffix(got, "lines=3\n") {
		t.Errorf("%q", got)
	}
}

// TestSyslogStuck checks that a daemon which does not read holds up nobody who logs.
// When it goes on, it gets all lines but those that are counted.
func TestSyslogStuck(t *testing.T) {
	d := startSyslog(t, filepath.Join(t.TempDir(), "log"))
	l := &config.Log{Format: logAuto, Syslog: "mail", SyslogSocket: d.path}
	log, closeLog, err := openLog(l, slog.LevelInfo, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	const many = 3 * logBacklog // far more than the socket takes
	for range many {
		log.Info("line")
	}
	got, dropped := 0, 0
	for got+dropped < many {
		line := d.next(t)
		if _, n, told := strings.Cut(line, "lines="); told {
			var some int
			if _, err := fmt.Sscan(n, &some); err != nil {
				t.Fatal(err)
			}
			dropped += some
			continue
		}
		got++
	}
	if dropped == 0 || got < logBacklog {
		t.Errorf("%d lines came, %d were dropped", got, dropped)
	}
	closeLog()
}

// TestSyslogMistakes checks that what cannot be is told with how to mend it.
func TestSyslogMistakes(t *testing.T) {
	nobody := filepath.Join(t.TempDir(), "log")
	for _, tt := range []struct {
		settings config.Log
		status   int
		want     string
	}{
		{config.Log{Format: logAuto, Syslog: "post", SyslogSocket: nobody}, 2, "local7"},
		{config.Log{Format: logAuto, Syslog: "mail", SyslogSocket: nobody}, 1, "--syslog-socket"},
		{config.Log{Format: logJournal, Syslog: "mail", SyslogSocket: nobody}, 2, "--log-format"},
		{config.Log{Format: "xml"}, 2, "journal"},
	} {
		_, _, err := openLog(&tt.settings, slog.LevelInfo, io.Discard)
		if err == nil || exitCode(err) != tt.status || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.settings, err, tt.want)
		}
	}
}

// TestServeSyslog checks that the program logs to syslog, and nothing elsewhere.
func TestServeSyslog(t *testing.T) {
	dir := t.TempDir()
	d := startSyslog(t, filepath.Join(dir, "log"))
	p := start(t, "serve", "-p", "unix:"+filepath.Join(dir, "s"), "--admin", "", "--syslog", "--syslog-socket", d.path)
	if got := d.next(t); !strings.HasPrefix(got, "<22>") || !strings.Contains(got, "msg=listening") {
		t.Errorf("%q", got)
	}
	_ = p.Process.Signal(os.Interrupt)
	if status := p.exit(); status != 0 || p.log() != "" {
		t.Errorf("exit status %d, standard error %q", status, p.log())
	}
}
