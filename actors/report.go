package actors

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// reporter writes the errors of sessions to the log, at most one a second of each
// class, so that a flood of bad connections is not one of lines.
type reporter struct {
	log *slog.Logger

	mu      sync.Mutex
	classes map[string]*class
}

// class is a class of errors.
type class struct {
	last       time.Time
	suppressed int
}

// logEvery is how far apart the lines of a class are.
const logEvery = time.Second

// report logs an error of a class, unless one was just logged.
func (r *reporter) report(level slog.Level, message string, now time.Time, attrs ...slog.Attr) {
	r.mu.Lock()
	if r.classes == nil {
		r.classes = make(map[string]*class)
	}
	c := r.classes[message]
	if c == nil {
		c = new(class)
		r.classes[message] = c
	}
	if now.Sub(c.last) < logEvery {
		c.suppressed++
		r.mu.Unlock()
		return
	}
	suppressed := c.suppressed
	c.last, c.suppressed = now, 0
	r.mu.Unlock()
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	r.log.LogAttrs(context.Background(), level, message, attrs...)
}

// describe returns the line that an error is worth, and its level. The lines are
// few: they are the classes of the reporter.
func describe(err error, look string) (level slog.Level, message string) {
	var panicked *handlers.PanicError
	var slow *handlers.SlowError
	switch {
	case look != "":
		return slog.LevelWarn, "not a milter client, connection closed: looks like " + look
	case errors.As(err, &panicked):
		return slog.LevelError, "handler panicked"
	case errors.As(err, &slow):
		return slog.LevelWarn, "handler held the event loop at " + slow.Event.String()
	case errors.Is(err, protocol.ErrStatusNotAllowed):
		return slog.LevelError, "handler gave an answer that is not allowed"
	case errors.Is(err, protocol.ErrInvalidCode), errors.Is(err, protocol.ErrInvalidArgument):
		return slog.LevelError, "handler gave a value that cannot be sent"
	case errors.Is(err, protocol.ErrNegotiation):
		return slog.LevelError, "MTA does not offer what is needed, connection refused"
	case errors.Is(err, protocol.ErrProtocol):
		return slog.LevelWarn, "protocol error, connection closed"
	case errors.Is(err, handlers.ErrTimeout):
		return slog.LevelWarn, "timeout"
	case errors.Is(err, handlers.ErrSessionClosed):
		return slog.LevelInfo, "session closed by the server"
	case errors.Is(err, handlers.ErrIO):
		return slog.LevelInfo, "connection lost"
	}
	return slog.LevelError, "handler failed"
}

// looks has what the first bytes of strangers say they are.
var looks = []struct{ begin, name string }{
	{"GET ", "an HTTP request"},
	{"HEAD ", "an HTTP request"},
	{"POST ", "an HTTP request"},
	{"PUT ", "an HTTP request"},
	{"OPTIONS ", "an HTTP request"},
	{"CONNECT ", "an HTTP request"},
	{"PRI * HTTP/2", "an HTTP/2 request"},
	{"\x16\x03", "a TLS hello"},
	{"EHLO ", "an SMTP client"},
	{"HELO ", "an SMTP client"},
	{"SSH-", "an SSH client"},
	{"PROXY ", "the PROXY protocol"},
	{"\r\n\r\n\x00\r\nQUIT\n", "the PROXY protocol"},
}

// looksLike says what first bytes that are no milter packet seem to be; "" if
// that cannot be told.
func looksLike(b []byte) string {
	for _, l := range looks {
		n := min(len(b), len(l.begin))
		if n >= min(4, len(l.begin)) && bytes.Equal(b[:n], []byte(l.begin[:n])) {
			return l.name
		}
	}
	return ""
}
