package actors

import (
	"fmt"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"millstream/handlers"
)

// session is the actor of one connection. Nothing but the actor touches its fields,
// on the event loop of the connection, except for the mailbox, the outlet and what
// is atomic.
type session struct {
	mailbox
	loop    *Loop
	sys     *System
	gen     *generation
	conn    Conn
	pid     *actor.PID
	control *handlers.Control
	handler handlers.Handler
	wants   handlers.Wants
	id      uint64

	*work          // what is under way; nil while there is nothing to do but to wait for the MTA
	trail  *trail  // nil if telemetry is off
	taps   *taps   // nil if nobody listened when it began
	outlet *outlet // of changes to messages; nil before the first message ends
	timer  timer
	heard  instant // when the session began to wait for the MTA
	number uint64  // of the event under way, or the last one: an answer to another one is late

	hold    hold
	worker  bool // a function of Go, Blocking or Async is running
	stuck   bool // it goes on long after its context has ended
	skipped bool // no more of the body is to be told
	ending  bool // what is under way is the last
	renewed bool // of one SMTP client; the connection goes on with another
	gone    bool // the connection is lost or closed
	removed bool // the system does not know the session any more

	since    int64        // in Unix nanoseconds
	pending  atomic.Int64 // since when an answer has been pending, in Unix nanoseconds
	idle     atomic.Int64 // since when the MTA has been silent, in Unix nanoseconds
	messages atomic.Uint64
	inBytes  atomic.Uint64
	outBytes atomic.Uint64
}

func newSession(l *Loop, c Conn, listener string) *session {
	l.look()
	s := &session{loop: l, sys: l.sys, conn: c, id: lastID.Add(1), since: l.stamp.UnixNano(), heard: l.now()}
	s.gen = l.sys.join()
	s.mailbox.owner, s.timer.s = s, s
	s.control = l.control(s.gen, listener).Sibling(s.id, peerOf(c.RemoteAddr()))
	s.trail = l.sys.measured.open(s)
	s.taps = l.sys.tapped(s)
	return s
}

// Receive handles one message. It runs on the event loop of the connection.
func (s *session) Receive(ctx actor.Context) {
	s.takeUp()
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
		s.gen.release()
	}
	if !s.removed {
		s.flush()
		s.arm()
	}
	s.layDown()
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

// MaxPacketSize is [Link].
func (s *session) MaxPacketSize() int { return s.gen.cfg.MaxPacketSize }

// Lost is [Link].
func (s *session) Lost(err error, partial bool) {
	s.PostUserMessage(&lost{err, partial})
}

// start greets the connection.
func (s *session) start() {
	s.idle.Store(s.since)
	s.establish()
	s.advance()
}

// establish makes the handler of an SMTP client and tells it of the connection.
func (s *session) establish() {
	shown := s.control.Session()
	s.handler, s.wants = nil, handlers.Wants{}
	made := s.control.Guard(func() handlers.Reply {
		if s.handler = s.gen.factory(shown); s.handler != nil {
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
