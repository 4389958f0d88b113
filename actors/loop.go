package actors

import (
	"context"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"millstream/handlers"
	"millstream/protocol"
)

// A Conn is what a session needs of its connection. Its methods are called on
// the event loop of the connection, but for Post.
type Conn interface {
	// Write takes the bytes of packets; the caller may use them again. What the MTA
	// does not take at once is kept. An error says that the connection is gone, of
	// which Link.Lost is to tell, too: before Write returns or later.
	Write(packets []byte) error

	// Unsent returns how many bytes the MTA has not taken yet.
	Unsent() int

	// Close closes the connection when its output is sent, at the latest after
	// linger. It may call Link.Lost before it returns, and may itself be called before
	// Loop.Open has returned.
	Close(linger time.Duration)

	// Post runs f on the event loop, later: never before it returns. It may be called
	// from any goroutine, also after the connection has closed. The error says that
	// the loop has ended.
	Post(f func()) error

	// RemoteAddr returns the address of the MTA.
	RemoteAddr() net.Addr
}

// A Link is a session as its connection sees it. Its methods are for the event loop
// of the connection, and but for Lost not to be called from within those of the Conn.
type Link interface {
	// Feed handles the whole packets at the beginning of b, which it borrows, and
	// returns how many bytes they are. The rest is to be given again, with more.
	// macro says that b ended with a packet that the MTA sends apart from its command,
	// so that it may be waiting for an acknowledgement.
	Feed(b []byte) (n int, macro bool)

	// MaxPacketSize returns the greatest length field accepted, in bytes.
	MaxPacketSize() int

	// Lost says that the connection is gone: with nil if the MTA closed it, otherwise
	// with the error of the transport. partial says that it ended within a packet.
	Lost(err error, partial bool)
}

// A Loop is the part of a System that stands on one event loop: the timers of its
// sessions, and what they use in turn. Its methods are for that event loop.
type Loop struct {
	sys     *System
	decoder protocol.Decoder
	wheel   wheel
	props   *actor.Props
	opening *session // the one that is being spawned
	out     []byte   // what the session under way has to write
	spare   []*work  // for the next sessions that need one
	batch   batch
	epoch   time.Time         // when both clocks were read last
	stamp   time.Time         // the last time that was looked at
	told    handlers.Response // the one that handlers are told of

	controls map[string]*handlers.Control // of no session: what those of a listener have in common
	gen      *generation                  // of the controls
}

// NewLoop returns the part of s for one event loop.
func (s *System) NewLoop() *Loop {
	now := time.Now()
	l := &Loop{sys: s, wheel: wheel{start: now}, epoch: now, controls: make(map[string]*handlers.Control)}
	l.props = actor.PropsFromProducer(
		func() actor.Actor { return l.opening },
		actor.WithMailbox(func() actor.Mailbox { return &l.opening.mailbox }),
		actor.WithDispatcher(onLoop{}),
		actor.WithGuardian(stopFailed{}),
	)
	return l
}

// Open begins the session of a connection that came in at a listener.
func (l *Loop) Open(c Conn, listener string) Link {
	s := newSession(l, c, listener)
	l.sys.add(s)
	l.opening = s
	l.sys.actors.Root.Spawn(l.props)
	l.opening = nil
	return s
}

// control returns what the controls of the sessions of a generation and a listener are
// made like.
func (l *Loop) control(g *generation, listener string) *handlers.Control {
	if l.gen != g {
		l.gen = g
		clear(l.controls)
	}
	c := l.controls[listener]
	if c == nil {
		cfg := &g.cfg
		c = handlers.NewControl(context.Background(), handlers.Facts{
			Listener: listener, Sessions: l.sys.Len, Timeout: cfg.Timeout, PacketBuffer: cfg.PacketBuffer,
		}, cfg.limits())
		l.controls[listener] = c
	}
	return c
}

// look looks at the clock. Sessions do so after every call of a handler, so only the
// monotonic clock is read; the other is at every tick.
func (l *Loop) look() { l.stamp = l.epoch.Add(time.Since(l.epoch)) }

// now returns the last time that was looked at.
func (l *Loop) now() instant { return l.wheel.instant(l.stamp) }

// Tick wakes the sessions whose time has come. It is to be called every 100 ms.
func (l *Loop) Tick(now time.Time) {
	l.epoch = now
	l.sys.reporter.settle(now)
	l.wheel.advance(l.wheel.instant(now), func(t *timer) { t.s.PostUserMessage(&tick{}) })
}
