package netio

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"millstream/actors"
)

// link is one connection: what joins gnet's Conn and the session. It belongs to its
// event loop, but for Post.
type link struct {
	s         *Server
	loop      *loop
	conn      gnet.Conn
	session   actors.Link
	from      *listener
	tcp       bool
	feeding   bool // the session is handling what was read
	closing   bool // the session is over
	lingering bool // its output is still on its way
	shut      bool // our half of the connection is ended
}

// open begins the session of a connection.
func (l *link) open(c gnet.Conn, loop *loop) {
	l.conn, l.loop = c, loop
	l.session = loop.sessions.Open(l, l.from.spec)
}

// traffic hands what was read to the session.
func (l *link) traffic() gnet.Action {
	if l.closing {
		_, _ = l.conn.Discard(-1)
		return gnet.None
	}
	if !l.whole() {
		return gnet.None
	}
	b, err := l.conn.Peek(-1)
	if err != nil || len(b) == 0 {
		return gnet.None
	}
	l.feeding = true
	n, macro := l.session.Feed(b)
	l.feeding = false
	if n > 0 {
		_, _ = l.conn.Discard(n)
	}
	switch {
	case l.closing && !l.lingering:
		return gnet.Close
	case macro && l.tcp:
		acknowledge(l.conn.Fd())
	}
	return gnet.None
}

// whole reports whether the packet that was begun by an earlier read is whole. If
// it is not, nothing is copied.
func (l *link) whole() bool {
	const lengthSize = 4
	head, err := l.conn.Peek(lengthSize)
	if err != nil {
		return false
	}
	length := binary.BigEndian.Uint32(head)
	return int64(length) > int64(l.session.MaxPacketSize()) ||
		l.conn.InboundBuffered() >= lengthSize+int(length)
}

// closed tells the session that the connection is gone.
func (l *link) closed(err error) {
	delete(l.loop.lingering, l)
	l.s.release(l.from)
	if l.session == nil {
		return
	}
	switch {
	case l.loop.broken != nil:
		err = l.loop.broken
	case errors.Is(err, io.EOF):
		err = nil
	}
	l.session.Lost(err, l.conn.InboundBuffered() > 0)
	l.session = nil
}

// Write is [actors.Conn].
func (l *link) Write(packets []byte) error {
	if l.conn.OutboundBuffered() == 0 {
		n, err := sendNow(l.conn.Fd(), packets)
		if packets = packets[n:]; len(packets) == 0 {
			return nil
		}
		l.loop.broken = err
	}
	_, err := l.conn.Write(packets)
	l.loop.broken = nil
	return err
}

// Unsent is [actors.Conn].
func (l *link) Unsent() int { return l.conn.OutboundBuffered() }

// Close is [actors.Conn]. A connection with input that was not read is not closed
// at once: the kernel would reset it, and the MTA lose the last output.
func (l *link) Close(linger time.Duration) {
	l.closing = true
	if linger > 0 {
		l.lingering = true
		l.loop.lingering[l] = time.Now().Add(linger)
		l.linger()
		return
	}
	if !l.feeding { // else traffic closes it
		_ = l.loop.events.Close(l.conn)
	}
}

// linger ends the output when it is sent. The MTA then closes the connection, and
// is waited for no longer than it may linger.
func (l *link) linger() {
	if !l.shut && l.conn.OutboundBuffered() == 0 {
		l.shut = true
		shutWrite(l.conn.Fd())
	}
}

// Post is [actors.Conn].
func (l *link) Post(f func()) error { return l.loop.post(f) }

// RemoteAddr is [actors.Conn].
func (l *link) RemoteAddr() net.Addr { return l.conn.RemoteAddr() }

// loop is an event loop: gnet's, and what sessions have on it.
type loop struct {
	events    gnet.EventLoop
	sessions  *actors.Loop
	lingering map[*link]time.Time // sessions that are over, and until when the MTA may take their output
	broken    error               // why the write under way fails: the kernel tells it once

	ticking atomic.Bool // a tick is on its way
	ticked  time.Time   // when one was sent last; for the ticking goroutine
	missed  bool        // it has not come for long
}

// post runs f on the event loop.
func (l *loop) post(f func()) error {
	return l.events.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		f()
		return nil
	}))
}

// silentAfter is how long a loop may be busy before that is worth a line.
const silentAfter = 5 * time.Second

// tickSoon sends a tick to the loop, unless the last one has not come yet. A loop
// that is held up, or has ended, is told of here and nowhere else.
func (l *loop) tickSoon(s *Server) {
	if l.ticking.CompareAndSwap(false, true) {
		l.ticked, l.missed = time.Now(), false
		if err := l.post(l.tick); err != nil {
			s.log.Debug("event loop takes no tick", "err", err)
		}
		return
	}
	if !l.missed && time.Since(l.ticked) > silentAfter {
		l.missed = true
		s.system.Hit(actors.LimitEventLoop)
		s.log.Error("event loop does not run: a handler of On or Observe may be blocking it", "for", silentAfter)
	}
}

// tick wakes the sessions whose time has come.
func (l *loop) tick() {
	l.ticking.Store(false)
	now := time.Now()
	l.sessions.Tick(now)
	for link, deadline := range l.lingering {
		link.linger()
		if now.After(deadline) {
			if !link.shut {
				link.s.system.Hit(actors.LimitLinger)
			}
			_ = l.events.Close(link.conn)
		}
	}
}
