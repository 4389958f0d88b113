package actors

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// reporter decides which lines are written of what others may cause again and again:
// at most one a second of each class, so that a flood of bad connections is not one of
// lines. How many were left out is told by the next one, or when there was none for a
// second.
type reporter struct {
	log *slog.Logger

	mu      sync.Mutex
	classes map[string]*class
	owing   atomic.Int64 // classes with lines that were left out
}

// class is a class of lines, which are all the same but for their attributes.
type class struct {
	level      slog.Level
	last       time.Time // when one was written
	seen       time.Time // when one was left out
	suppressed int
}

// logEvery is how far apart the lines of a class are.
const logEvery = time.Second

// Log writes a line that may come again and again, unless there was one of the same
// message within the last second: then it is counted, and the count is told. Messages
// are to be few. It may be called from any goroutine.
func (s *System) Log(level slog.Level, message string, attrs ...slog.Attr) {
	if suppressed, ok := s.reporter.due(level, message, time.Now()); ok {
		s.reporter.write(context.Background(), level, message, suppressed, attrs)
	}
}

// write writes a line.
func (r *reporter) write(ctx context.Context, level slog.Level, message string, suppressed int, attrs []slog.Attr) {
	if suppressed > 0 {
		attrs = append(slices.Clip(attrs), slog.Int("suppressed", suppressed))
	}
	r.log.LogAttrs(ctx, level, message, attrs...) //nolint:sloglint // messages are constants where they come from
}

// settle tells how many lines of a class were left out since the last one, if there
// were none for a while before now.
func (r *reporter) settle(now time.Time) {
	if r.owing.Load() == 0 {
		return
	}
	var quiet []class
	var messages []string
	r.mu.Lock()
	for message, c := range r.classes {
		if c.suppressed > 0 && now.Sub(c.seen) >= logEvery {
			quiet, messages = append(quiet, *c), append(messages, message)
			c.suppressed = 0
			r.owing.Add(-1)
		}
	}
	r.mu.Unlock()
	for i := range quiet {
		r.write(context.Background(), quiet[i].level, "more lines like this were left out", quiet[i].suppressed,
			[]slog.Attr{slog.String("like", messages[i])})
	}
}

// due reports whether a line of a class is to be written, and how many were not
// since the last one.
func (r *reporter) due(level slog.Level, message string, now time.Time) (suppressed int, ok bool) {
	if !r.log.Enabled(context.Background(), level) {
		return 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.classes[message]
	switch {
	case c == nil:
		if r.classes == nil {
			r.classes = make(map[string]*class)
		}
		c = &class{level: level}
		r.classes[message] = c
	case now.Sub(c.last) < logEvery:
		if c.suppressed++; c.suppressed == 1 {
			r.owing.Add(1)
		}
		c.seen = now
		return 0, false
	}
	if suppressed = c.suppressed; suppressed > 0 {
		r.owing.Add(-1)
	}
	c.last, c.suppressed = now, 0
	return suppressed, true
}

// describe returns the line that an error is worth, and its level. The lines are
// few: they are the classes of the reporter.
func describe(err error, look string) (level slog.Level, message string) {
	if look != "" {
		return slog.LevelWarn, "not a milter client, connection closed: looks like " + look
	}
	if slow, ok := errors.AsType[*handlers.SlowError](err); ok {
		return slog.LevelWarn, "handler held the event loop at " + slow.Event.String()
	}
	if _, ok := errors.AsType[*handlers.PanicError](err); ok {
		return slog.LevelError, "handler panicked"
	}
	switch {
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

// The kinds of errors that are the peer's.
const (
	kindProtocol    = "protocol"
	kindNegotiation = "negotiation"
)

// kindOf returns the word for the kind of an error. They are few: they are values of a
// label. during is the event that was under way: an MTA is silent while none is.
func kindOf(err error, during handlers.Kind) string {
	if _, ok := errors.AsType[*handlers.SlowError](err); ok {
		return "slow"
	}
	if _, ok := errors.AsType[*handlers.PanicError](err); ok {
		return "panic"
	}
	if during == 0 && errors.Is(err, handlers.ErrTimeout) {
		return "silence"
	}
	for _, k := range []struct {
		err  error
		kind string
	}{
		{protocol.ErrStatusNotAllowed, "status"},
		{protocol.ErrInvalidCode, "value"},
		{protocol.ErrInvalidArgument, "value"},
		{protocol.ErrNegotiation, kindNegotiation},
		{protocol.ErrProtocol, kindProtocol},
		{handlers.ErrTimeout, "timeout"},
		{handlers.ErrSessionClosed, "closed"},
		{handlers.ErrIO, "io"},
	} {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	return "handler"
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
