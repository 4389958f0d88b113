package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func TestLooksLike(t *testing.T) {
	tests := []struct{ in, want string }{
		{"GET / HTTP/1.1\r\n", "an HTTP request"},
		{"GET ", "an HTTP request"},
		{"HEAD / HTTP/1.1\r\n", "an HTTP request"},
		{"POST /x HTTP/1.1\r\n", "an HTTP request"},
		{"OPTIONS * HTTP/1.1", "an HTTP request"},
		{"CONNECT a:25 HTTP/1.1", "an HTTP request"},
		{"PRI * HTTP/2.0\r\n\r\nSM", "an HTTP/2 request"},
		{"\x16\x03\x01\x02\x00\x01\x00", "a TLS hello"},
		{"EHLO client.example\r\n", "an SMTP client"},
		{"HELO client.example\r\n", "an SMTP client"},
		{"SSH-2.0-OpenSSH_9.9\r\n", "an SSH client"},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "the PROXY protocol"},
		{"\r\n\r\n\x00\r\nQUIT\n\x21", "the PROXY protocol"},
		{"", ""},
		{"GE", ""},
		{"GETS", ""},
		{"\x16\x02\x01", ""},
		{"\x00\x00\x00\x0dO", ""},
		{"hello", ""},
	}
	for _, tt := range tests {
		if got := looksLike([]byte(tt.in)); got != tt.want {
			t.Errorf("%q looks like %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Strangers are told from MTAs by their first bytes, one line a second for each
// sort; an MTA that has negotiated is no stranger.
func TestStranger(t *testing.T) {
	tests := []struct{ before, in, message string }{
		{"", "GET / HTTP/1.1\r\n", "not a milter client, connection closed: looks like an HTTP request"},
		{"", "\x16\x03\x01\x02\x00", "not a milter client, connection closed: looks like a TLS hello"},
		{"", "\x00\x00\x00\x01z", "protocol error, connection closed"},
		{"", "\xff\xff\xff\xff", "protocol error, connection closed"},
		{"O", "GET / HTTP/1.1\r\n", "protocol error, connection closed"},
		{"", "", "timeout"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			book := new(logbook)
			p := newProbe(t, Config{Log: slog.New(book)}, brief, nil)
			p.feed(tt.before)
			_ = p.Feed([]byte(tt.in))
			p.after(time.Minute)
			if len(book.lines) != 1 || book.lines[0].Message != tt.message {
				t.Fatalf("%q: %v", tt.in, book.lines)
			}
			a := attrsOf(book.lines[0])
			if a["err"] == "" || a["listener"] != "offline" || a["session"] == "" || a["qid"] != "NOQUEUE" || a["state"] == "" {
				t.Errorf("attributes %v", a)
			}
		})
	}
}

// A line of a class is written once a second at most; those that were not are
// counted.
func TestReporter(t *testing.T) {
	r := reporter{log: slog.New(new(logbook))}
	start := time.Now()
	tests := []struct {
		class      string
		at         time.Duration
		ok         bool
		suppressed int
	}{
		{"a", 0, true, 0},
		{"a", 1, false, 0},
		{"b", 1, true, 0},
		{"a", logEvery - 1, false, 0},
		{"a", logEvery, true, 2},
		{"a", 2*logEvery - 1, false, 0},
		{"a", 3 * logEvery, true, 1},
		{"b", 3 * logEvery, true, 0},
	}
	for i, tt := range tests {
		suppressed, ok := r.due(slog.LevelWarn, tt.class, start.Add(tt.at))
		if ok != tt.ok || suppressed != tt.suppressed {
			t.Errorf("%d: %v, %d suppressed, want %v, %d", i, ok, suppressed, tt.ok, tt.suppressed)
		}
	}
	r.log = slog.New(slog.DiscardHandler)
	if _, ok := r.due(slog.LevelError, "c", start); ok {
		t.Error("written to nobody")
	}
}

// When a flood is over, what was left out of it is told, once; also when the server
// ends before that.
func TestReportLeftOut(t *testing.T) {
	for _, stop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			book := new(logbook)
			r := newRig(t, Config{Log: slog.New(book)}, 0, nil)
			for range 30 {
				r.loop.Open(&fakeConn{t: t}, "").Feed([]byte("GET / HTTP/1.1"))
				r.sys.Log(slog.LevelError, "other")
				time.Sleep(time.Millisecond)
			}
			if stop {
				r.link.Lost(nil, false)
				r.sys.Stop()
			} else {
				r.tick(10 * time.Second)
				r.link.Lost(nil, false)
			}
			if len(book.lines) != 4 {
				t.Fatalf("log %v", book.lines)
			}
			told := map[string]slog.Level{}
			for _, l := range book.lines[2:] {
				if a := attrsOf(l); l.Message == "more lines like this were left out" && a["suppressed"] == "29" {
					told[a["like"]] = l.Level
				}
			}
			if told["not a milter client, connection closed: looks like an HTTP request"] != slog.LevelWarn || told["other"] != slog.LevelError {
				t.Errorf("told %v", told)
			}
		})
	}
}

// While a flood goes on each line tells of those before it, and no other does.
func TestReportFloodGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := new(logbook)
		r := newRig(t, Config{Log: slog.New(book)}, 0, nil)
		for range 35 {
			r.sys.Log(slog.LevelWarn, "again")
			r.tick(tickEvery)
		}
		r.tick(2 * time.Second)
		var told []string
		for _, l := range book.lines {
			told = append(told, attrsOf(l)["suppressed"])
		}
		want(t, "left out", strings.Join(told, ","), ",9,9,9,4")
		r.link.Lost(nil, false)
	})
}

// A flood of bad connections is not one of lines.
func TestReportFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := new(logbook)
		r := newRig(t, Config{Log: slog.New(book)}, 0, nil)
		for range 30 {
			r.loop.Open(&fakeConn{t: t}, "").Feed([]byte("GET / HTTP/1.1"))
			time.Sleep(tickEvery)
		}
		if len(book.lines) != 3 || attrsOf(book.lines[1])["suppressed"] != "9" {
			t.Errorf("log %v", book.lines)
		}
		r.link.Lost(nil, false)
	})
}

func TestDescribe(t *testing.T) {
	tests := []struct {
		err   error
		level slog.Level
		want  string
	}{
		{&handlers.PanicError{Value: 1}, slog.LevelError, "handler panicked"},
		{&handlers.PanicError{Value: handlers.ErrTimeout}, slog.LevelError, "handler panicked"},
		{&handlers.SlowError{Event: handlers.KindBody}, slog.LevelWarn, "handler held the event loop at body"},
		{&protocol.StatusError{}, slog.LevelError, "handler gave an answer that is not allowed"},
		{&handlers.OpError{Err: protocol.ErrInvalidArgument}, slog.LevelError, "handler gave a value that cannot be sent"},
		{protocol.ErrInvalidCode, slog.LevelError, "handler gave a value that cannot be sent"},
		{&handlers.OpError{Err: protocol.ErrInvalidAction}, slog.LevelError, "handler failed"},
		{&protocol.NegotiationError{Err: protocol.ErrVersionTooOld}, slog.LevelError, "MTA does not offer what is needed, connection refused"},
		{&protocol.StateError{}, slog.LevelWarn, "protocol error, connection closed"},
		{fmt.Errorf("%w: x", protocol.ErrTooMany), slog.LevelWarn, "protocol error, connection closed"},
		{handlers.ErrTimeout, slog.LevelWarn, "timeout"},
		{handlers.ErrSessionClosed, slog.LevelInfo, "session closed by the server"},
		{fmt.Errorf("%w: %w", handlers.ErrIO, context.Canceled), slog.LevelInfo, "connection lost"},
		{errors.New("x"), slog.LevelError, "handler failed"},
	}
	for _, tt := range tests {
		if level, got := describe(tt.err, ""); level != tt.level || got != tt.want {
			t.Errorf("%v: %v %q, want %v %q", tt.err, level, got, tt.level, tt.want)
		}
	}
}

// A panic is logged with its stack, macros for a strange command for whoever looks
// closely.
func TestReportAttrs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := new(logbook)
		p := newProbe(t, Config{Log: slog.New(book)}, brief, replies{
			handlers.KindHelo: func(*handlers.Session, handlers.Event) handlers.Reply { panic("oops") },
		})
		p.feed("O DQ DH H")
		if len(book.lines) != 2 {
			t.Fatalf("log %v", book.lines)
		}
		if l := book.lines[0]; l.Level != slog.LevelDebug || attrsOf(l)["command"] != "quit" {
			t.Errorf("log %v", l)
		}
		if a := attrsOf(book.lines[1]); a["qid"] != "QH" || !strings.Contains(a["stack"], "TestReportAttrs") || a["err"] == "" {
			t.Errorf("log %v", a)
		}
	})
}
