package netio

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/panjf2000/gnet/v2"

	"millstream/actors"
)

// tickEvery is how often the sessions of a loop are told the time.
const tickEvery = 100 * time.Millisecond

// keepAlive is how long a TCP connection may be silent before the kernel asks
// whether the MTA is still there.
const keepAlive = 5 * time.Minute

// events takes the events of gnet. Those of a connection come on its event loop.
type events struct {
	gnet.BuiltinEventEngine
	s *Server
}

// OnOpen is [gnet.EventHandler].
func (e *events) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	l := c.Context().(*link)
	l.feeding = true
	l.open(c, e.s.loopOf(c.EventLoop()))
	l.feeding = false
	if l.closing && !l.lingering {
		return nil, gnet.Close
	}
	return nil, gnet.None
}

// OnTraffic is [gnet.EventHandler].
func (e *events) OnTraffic(c gnet.Conn) gnet.Action { return c.Context().(*link).traffic() }

// OnClose is [gnet.EventHandler].
func (e *events) OnClose(c gnet.Conn, err error) gnet.Action {
	c.Context().(*link).closed(err)
	return gnet.None
}

// OnTick is [gnet.EventHandler]. It comes on a goroutine of its own.
func (e *events) OnTick() (time.Duration, gnet.Action) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	for _, l := range e.s.loops {
		l.tickSoon(e.s)
	}
	return tickEvery, gnet.None
}

// loopOf returns what sessions have on an event loop. A loop is known from its
// first connection on.
func (s *Server) loopOf(events gnet.EventLoop) *loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.loops[events]
	if l == nil {
		l = &loop{events: events, sessions: s.system.NewLoop(), lingering: make(map[*link]time.Time)}
		s.loops[events] = l
	}
	return l
}

// gnetLog gives what gnet has to say to the log of the server. What gnet warns of,
// such as a connection that was reset, is nothing to be warned of here.
type gnetLog struct {
	system *actors.System
	log    *slog.Logger
}

// Debugf is gnet's logging.Logger.
func (g gnetLog) Debugf(format string, args ...any) { g.print(format, args) }

// Infof is gnet's logging.Logger.
func (g gnetLog) Infof(format string, args ...any) { g.print(format, args) }

// Warnf is gnet's logging.Logger.
func (g gnetLog) Warnf(format string, args ...any) { g.print(format, args) }

// Errorf is gnet's logging.Logger.
func (g gnetLog) Errorf(format string, args ...any) { g.fail(format, args) }

// Fatalf is gnet's logging.Logger.
func (g gnetLog) Fatalf(format string, args ...any) { g.fail(format, args) }

// print prints what is of no interest to most.
func (g gnetLog) print(format string, args []any) {
	if g.log.Enabled(context.Background(), slog.LevelDebug) {
		g.log.Debug("event loop", "gnet", fmt.Sprintf(format, args...))
	}
}

// fail prints an error, which may come for each connection.
func (g gnetLog) fail(format string, args []any) {
	g.system.Log(slog.LevelError, "event loop failed", slog.String("gnet", fmt.Sprintf(format, args...)))
}
