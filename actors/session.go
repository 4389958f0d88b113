package actors

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"millstream/handlers"
	"millstream/protocol"
)

// session is the actor of one connection. Nothing but the actor touches its fields,
// on the event loop of the connection, except for the mailbox, the outlet and what
// is atomic.
type session struct {
	mailbox
	loop    *Loop
	sys     *System
	conn    Conn
	pid     *actor.PID
	control *handlers.Control
	handler handlers.Handler
	wants   handlers.Wants
	id      uint64

	input
	turn
	waiting
	plan []task // what is still to be done before the next packet, last first

	outlet *outlet // of changes to messages; nil before the first message ends
	timer  timer
	heard  time.Time // when the MTA was last heard, or the connection opened
	unsent unsent

	faults  []error       // errors that handlers are still to be told of
	why     error         // why the connection ends
	next    protocol.Code // the command that gave up the last message
	ending  bool          // no more packets are taken
	renewed bool          // it ends for one SMTP client only
	gone    bool          // the connection is lost or closed
	removed bool          // the system does not know the session any more

	since    time.Time
	listener string
	pending  atomic.Int64 // since when an answer has been pending, in Unix nanoseconds
	messages atomic.Uint64
	inBytes  atomic.Uint64
	outBytes atomic.Uint64
	idle     atomic.Int64 // since when the MTA has been silent, in Unix nanoseconds
}

// task is one stage of what a session has to do.
type task func(*session)

func newSession(l *Loop, c Conn, listener string) *session {
	now := time.Now()
	s := &session{loop: l, sys: l.sys, conn: c, id: lastID.Add(1), since: now, heard: now, listener: listener}
	s.mailbox.post, s.mailbox.dropped, s.mailbox.panicked = c.Post, l.sys.late, s.crash
	s.timer.s = s
	cfg := &l.sys.cfg
	s.control = handlers.NewControl(context.Background(), handlers.Facts{
		ID: s.id, Peer: peerOf(c.RemoteAddr()), Listener: listener, Sessions: l.sys.count,
		Timeout: cfg.Timeout, PacketBuffer: cfg.PacketBuffer,
	}, l.sys.limits)
	return s
}

// peerOf returns a network address in the form of the protocol.
func peerOf(a net.Addr) protocol.Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		ip, _ := netip.AddrFromSlice(a.IP)
		ip = ip.Unmap()
		family := protocol.FamilyInet6
		if ip.Is4() {
			family = protocol.FamilyInet
		}
		return protocol.Addr{Family: family, IP: ip, Port: uint16(a.Port)}
	case *net.UnixAddr:
		path := a.Name
		if path == "@" { // a peer without a name
			path = ""
		}
		return protocol.Addr{Family: protocol.FamilyUnix, Path: path}
	}
	return protocol.Addr{Family: protocol.FamilyUnknown}
}

// Receive handles one message. It runs on the event loop of the connection.
func (s *session) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *batch:
		s.take(m)
	case *resolved:
		s.resolve(m)
	case *flushed:
		s.drainOutlet()
	case *tick:
		s.wake(m.now)
	case *lost:
		s.lose(m)
	case *ended:
		s.end(m)
	case *actor.Started:
		s.pid = ctx.Self()
		s.start()
	case *actor.Stopping: // at the end, or after a panic in here
		s.drop()
	case *actor.Stopped:
		s.mailbox.close()
	}
	if !s.removed {
		s.flush()
		s.arm()
	}
}

// Feed is [Link].
func (s *session) Feed(b []byte) (n int, macro bool) {
	m := &s.loop.batch
	m.bytes, m.taken, m.macro = b, len(b), false
	s.PostUserMessage(m)
	m.bytes = nil
	return m.taken, m.macro
}

// Lost is [Link].
func (s *session) Lost(err error, partial bool) {
	s.PostUserMessage(&lost{err, partial})
}

// start greets the connection.
func (s *session) start() {
	s.idle.Store(s.since.UnixNano())
	s.loop.stamp = s.since
	s.establish()
	s.advance()
}

// establish makes the handler of an SMTP client and tells it of the connection.
func (s *session) establish() {
	shown := s.control.Session()
	made := s.control.Guard(func() handlers.Reply {
		s.handler, s.wants = s.sys.factory(shown), handlers.Wants{}
		if s.handler != nil {
			s.wants = s.handler.Wants()
		}
		return handlers.Continue
	})
	switch {
	case made.Failed():
		s.fail(made.Err())
	case s.handler == nil:
		s.fail(fmt.Errorf("%w: handler of the factory", handlers.ErrNull))
	case s.wants.Events.Has(handlers.KindEstablished):
		s.do(func(s *session) { s.tell(&handlers.Established{}) })
	}
}

// do puts tasks before what is still to be done, the first one first.
func (s *session) do(tasks ...task) {
	s.borrowPlan()
	for i := len(tasks) - 1; i >= 0; i-- {
		s.plan = append(s.plan, tasks[i])
	}
}

// borrowPlan takes the room for tasks that the sessions of a loop use in turn.
func (s *session) borrowPlan() {
	if s.plan == nil {
		s.plan, s.loop.plan = s.loop.plan, nil
	}
}

// advance does what is to be done, and then takes packets, until it has to wait.
func (s *session) advance() {
	for s.hold == holdNothing {
		if n := len(s.plan); n > 0 {
			t := s.plan[n-1]
			s.plan = s.plan[:n-1]
			t(s)
			continue
		}
		if s.plan != nil { // let another session use it
			s.loop.plan, s.plan = s.plan, nil
		}
		if s.ending || !s.packet() {
			return
		}
	}
}

// info describes the session to another goroutine.
func (s *session) info(now time.Time) Info {
	f := s.control.Facts()
	return Info{
		ID: s.id, Peer: f.Peer, Listener: s.listener, Since: s.since, State: f.State,
		Pending:  since(now, s.pending.Load()),
		Idle:     since(now, s.idle.Load()),
		Messages: s.messages.Load(),
		In:       s.inBytes.Load(),
		Out:      s.outBytes.Load(),
	}
}

// since returns how long ago a time in Unix nanoseconds is; 0 for 0.
func since(now time.Time, then int64) time.Duration {
	if then == 0 {
		return 0
	}
	return max(now.Sub(time.Unix(0, then)), 0)
}
