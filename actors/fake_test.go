package actors

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A fakeConn is a connection, and the event loop of it: what is posted runs when
// the test says so.
type fakeConn struct {
	t    testing.TB
	link Link
	peer net.Addr

	out    []byte
	writes int
	unsent int
	closed []time.Duration // how long each Close may linger

	write func([]byte) error // before anything is written
	close func()             // within Close

	mu     sync.Mutex
	posted []func()
	ended  bool // the loop takes nothing any more
}

func (c *fakeConn) Write(packets []byte) error {
	c.writes++
	if c.write != nil {
		if err := c.write(packets); err != nil {
			return err
		}
	}
	c.out = append(c.out, packets...)
	return nil
}

func (c *fakeConn) Unsent() int { return c.unsent }

func (c *fakeConn) Close(linger time.Duration) {
	c.closed = append(c.closed, linger)
	if c.close != nil {
		c.close()
	}
}

func (c *fakeConn) Post(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return errors.New("the loop has ended")
	}
	c.posted = append(c.posted, f)
	return nil
}

func (c *fakeConn) RemoteAddr() net.Addr {
	if c.peer == nil {
		return protocol.Addr{}
	}
	return c.peer
}

// run runs what was posted.
func (c *fakeConn) run() {
	c.mu.Lock()
	posted := c.posted
	c.posted = nil
	c.mu.Unlock()
	for _, f := range posted {
		f()
	}
}

// codes returns the codes of what was written since the last call.
func (c *fakeConn) codes() string {
	out := c.out
	c.out = nil
	return codesOf(answers(c.t, out))
}

// A rig is a session on a fakeConn.
type rig struct {
	*probe
	sys  *System
	loop *Loop
	conn *fakeConn
	link Link
}

// newRig opens a session whose handler takes events of the given kinds.
func newRig(t *testing.T, cfg Config, takes handlers.Kinds, r replies) *rig {
	t.Helper()
	p := &probe{t: t, wants: handlers.Wants{Events: takes, Replies: takes & answerable}, replies: r}
	return openRig(t, cfg, handlers.Shared(p), p)
}

func openRig(t *testing.T, cfg Config, f handlers.Factory, p *probe) *rig {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet
	}
	if cfg.SlowInline == 0 { // a test may be slow itself
		cfg.SlowInline = -1
	}
	sys, err := NewSystem(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{probe: p, sys: sys, loop: sys.NewLoop(), conn: &fakeConn{t: t}}
	r.link = r.loop.Open(r.conn, "fake")
	r.conn.link = r.link
	return r
}

// feed gives a script to the session and returns the codes of what it writes.
func (r *rig) feed(script string) string {
	r.t.Helper()
	b := packets(script)
	if n, _ := r.link.Feed(b); n != len(b) {
		r.t.Errorf("%d of %d bytes taken", n, len(b))
	}
	return r.conn.codes()
}

// tick lets time pass, as the loop is told.
func (r *rig) tick(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(tickEvery)
		r.conn.run()
		r.loop.Tick(time.Now())
	}
}

// session returns the session itself.
func (r *rig) session() *session { return r.link.(*session) }

// A logbook is a log that keeps its lines.
type logbook struct {
	mu    sync.Mutex
	lines []slog.Record
	panic bool
}

func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logbook) WithGroup(string) slog.Handler            { return l }

func (l *logbook) Handle(_ context.Context, line slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panic {
		panic("log is full")
	}
	l.lines = append(l.lines, line.Clone())
	return nil
}

// attrs returns the attributes of a line by their keys.
func attrsOf(line slog.Record) map[string]string {
	m := make(map[string]string)
	line.Attrs(func(a slog.Attr) bool {
		m[a.Key] = a.Value.String()
		return true
	})
	return m
}
