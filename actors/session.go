package actors

import (
	"context"
	"fmt"
	"slices"
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
	trail *trail // nil if telemetry is off
	taps  taps   // nil if nobody listened when it began
	plan  []task // what is still to be done before the next packet, last first

	outlet *outlet // of changes to messages; nil before the first message ends
	timer  timer
	heard  time.Time // when the session began to wait for the MTA
	unsent unsent

	faults  []handlers.Failure // errors that handlers are still to be told of
	why     error              // why the connection ends
	next    protocol.Code      // the command that gave up the last message
	ending  bool               // what is under way is the last
	renewed bool               // of one SMTP client; the connection goes on with another
	gone    bool               // the connection is lost or closed
	removed bool               // the system does not know the session any more

	since    int64        // in Unix nanoseconds
	pending  atomic.Int64 // since when an answer has been pending, in Unix nanoseconds
	idle     atomic.Int64 // since when the MTA has been silent, in Unix nanoseconds
	messages atomic.Uint64
	inBytes  atomic.Uint64
	outBytes atomic.Uint64
}

// task is one stage of what a session has to do.
type task func(*session)

func newSession(l *Loop, c Conn, listener string) *session {
	now := time.Now()
	s := &session{loop: l, sys: l.sys, conn: c, id: lastID.Add(1), since: now.UnixNano(), heard: now}
	s.mailbox.owner, s.timer.s = s, s
	cfg := &l.sys.cfg
	s.control = handlers.NewControl(context.Background(), handlers.Facts{
		ID: s.id, Peer: peerOf(c.RemoteAddr()), Listener: listener, Sessions: l.sys.count,
		Timeout: cfg.Timeout, PacketBuffer: cfg.PacketBuffer,
	}, l.sys.limits)
	s.trail = l.sys.measured.open(s)
	s.taps = l.sys.tapped(s)
	return s
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
		s.wake()
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

func (s *session) post(f func()) error { return s.conn.Post(f) }

// dropped counts what came too late: above all answers that nobody wanted any more.
func (s *session) dropped(message any) {
	if _, ok := message.(*lost); !ok { // that one follows when a session closes its connection
		s.sys.stale.Add(1)
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
	s.idle.Store(s.since)
	s.loop.stamp = s.heard
	s.establish()
	s.advance()
}

// establish makes the handler of an SMTP client and tells it of the connection.
func (s *session) establish() {
	shown := s.control.Session()
	s.handler, s.wants = nil, handlers.Wants{}
	made := s.control.Guard(func() handlers.Reply {
		if s.handler = s.sys.factory(shown); s.handler != nil {
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
	for _, t := range slices.Backward(tasks) {
		s.plan = append(s.plan, t)
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
	defer s.control.Release()
	for s.hold == holdNothing {
		if n := len(s.plan); n > 0 {
			t := s.plan[n-1]
			s.plan = s.plan[:n-1]
			s.control.Release()
			t(s)
			continue
		}
		if s.plan != nil { // let another session use it
			s.loop.plan, s.plan = s.plan, nil
		}
		if !s.ending && s.packet() {
			continue
		}
		if !s.catchUp() {
			return
		}
	}
}
