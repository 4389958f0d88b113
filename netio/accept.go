package netio

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"

	"millstream/actors"
)

// How long an accepting goroutine waits after an error such as too many open
// files: twice as long each time.
const (
	minBackOff = 5 * time.Millisecond
	maxBackOff = time.Second
)

// maxEnrolling is how many connections of a listener may be on their way to an event
// loop at once. A loop that is woken up takes all that wait for it: with one message
// a connection that saves a tenth of the CPU time of a server. More of them save
// nothing more, and a burst of connections would hold up the loops.
const maxEnrolling = 8

// accept accepts connections until the listener is closed. No error ends it but
// that.
func (s *Server) accept(l *listener) {
	enrolling := make(chan struct{}, maxEnrolling)
	failures := make(chan error, maxEnrolling)
	defer func() {
		for range maxEnrolling { // until all are done
			enrolling <- struct{}{}
		}
	}()
	var wait time.Duration
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.refuse(err, actors.RefusedAccept)
		case !s.acquire(l):
			err = c.Close()
		default:
			enrolling <- struct{}{}
			go func() {
				if err := s.enroll(l, c); err != nil {
					failures <- err
				}
				<-enrolling
			}()
		}
		if err == nil {
			select {
			case err = <-failures:
			default:
				wait = 0
				continue
			}
		}
		if wait == 0 {
			wait = minBackOff
			s.system.Log(slog.LevelError, "cannot take a connection, trying again",
				slog.String("listener", l.spec), slog.Any("err", err))
		} else {
			wait = min(2*wait, maxBackOff)
		}
		if !s.pause(wait) {
			return
		}
	}
}

// pause waits for a while. It returns false if the server stops meanwhile.
func (s *Server) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.stopping:
		return false
	case <-t.C:
		return true
	}
}

// refuse counts a connection that the system did not let us take; other is the reason
// unless it has run out of something.
func (s *Server) refuse(err error, other actors.Refusal) {
	for _, scarce := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, scarce) {
			s.system.Refuse(actors.RefusedDescriptors)
			return
		}
	}
	s.system.Refuse(other)
}

// enroll hands a connection over to an event loop.
func (s *Server) enroll(l *listener, c net.Conn) error {
	for _, a := range []net.Addr{c.LocalAddr(), c.RemoteAddr()} {
		if tcp, ok := a.(*net.TCPAddr); ok {
			tcp.Zone = "" // gnet gives the string to its pool of buffers
		}
	}
	_, tcp := c.(*net.TCPConn)
	if _, err := s.client.EnrollContext(c, &link{s: s, from: l, tcp: tcp}); err != nil {
		s.release(l)
		s.refuse(err, actors.RefusedLoop)
		return err
	}
	return nil
}

// slots has one slot for each open connection; nil is no limit.
type slots chan struct{}

// newSlots returns so many slots; 0 is no limit.
func newSlots(n int) slots {
	if n == 0 {
		return nil
	}
	return make(slots, n)
}

// release makes room for a connection.
func (s slots) release() {
	if s != nil {
		<-s
	}
}

// acquire waits for room for one more connection. It returns false if the
// connection is to be closed.
func (s *Server) acquire(l *listener) bool {
	if !s.take(l.room, l) {
		return false
	}
	if !s.take(s.slots, l) {
		l.room.release()
		return false
	}
	return true
}

// take waits for one of the slots.
func (s *Server) take(room slots, l *listener) bool {
	if room == nil {
		return true
	}
	select {
	case room <- struct{}{}:
		return true
	default:
	}
	s.system.Hit(actors.LimitSessions)
	what := "as many sessions as allowed, the next has to wait"
	if s.cfg.CloseWhenFull {
		what = "as many sessions as allowed, the next is closed"
	}
	s.system.Log(slog.LevelWarn, what, slog.String("listener", l.spec), slog.Int("max_sessions", cap(room)))
	if s.cfg.CloseWhenFull {
		s.system.Refuse(actors.RefusedSessions)
		return false
	}
	select {
	case room <- struct{}{}:
		return true
	case <-s.stopping:
		s.system.Refuse(actors.RefusedStopping)
		return false
	}
}

// release makes room for a connection of l.
func (s *Server) release(l *listener) {
	s.slots.release()
	l.room.release()
}
