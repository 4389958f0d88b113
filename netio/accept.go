package netio

import (
	"errors"
	"net"
	"time"
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
		case err == nil && !s.acquire(l):
			err = c.Close()
		case err == nil:
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
			s.log.Error("cannot take a connection, trying again", "listener", l.spec, "err", err)
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

// enroll hands a connection over to an event loop.
func (s *Server) enroll(l *listener, c net.Conn) error {
	for _, a := range []net.Addr{c.LocalAddr(), c.RemoteAddr()} {
		if tcp, ok := a.(*net.TCPAddr); ok {
			tcp.Zone = "" // gnet gives the string to its pool of buffers
		}
	}
	_, tcp := c.(*net.TCPConn)
	if _, err := s.client.EnrollContext(c, &link{s: s, listener: l.spec, tcp: tcp}); err != nil {
		s.release()
		return err
	}
	return nil
}

// acquire waits for room for one more connection. It returns false if the
// connection is to be closed.
func (s *Server) acquire(l *listener) bool {
	if s.slots == nil {
		return true
	}
	select {
	case s.slots <- struct{}{}:
		return true
	default:
	}
	s.full.Do(func() {
		s.log.Warn("as many sessions as allowed, the next have to wait",
			"listener", l.spec, "max_sessions", cap(s.slots), "close_when_full", s.cfg.CloseWhenFull)
	})
	if s.cfg.CloseWhenFull {
		return false
	}
	select {
	case s.slots <- struct{}{}:
		return true
	case <-s.stopping:
		return false
	}
}

// release makes room for a connection.
func (s *Server) release() {
	if s.slots != nil {
		<-s.slots
	}
}
