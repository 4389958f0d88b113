package netio

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"millstream/actors"
)

// flakyListener fails every other time, until the end.
type flakyListener struct {
	net.Listener
	left int
	err  error
}

// Accept is [net.Listener].
func (l *flakyListener) Accept() (net.Conn, error) {
	if l.left--; l.left < 0 {
		return nil, net.ErrClosed
	}
	if l.left%2 == 0 {
		return nil, l.err
	}
	c, _ := net.Pipe()
	return c, nil
}

// A listener that fails again and again, and a crowd that finds no room, are not a
// flood of lines, and every one is counted.
func TestAcceptFlood(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want actors.Refusal
	}{
		{&net.OpError{Op: "accept", Err: syscall.EMFILE}, actors.RefusedDescriptors},
		{&net.OpError{Op: "accept", Err: syscall.ENOBUFS}, actors.RefusedDescriptors},
		{errors.New("no such luck"), actors.RefusedAccept},
	} {
		synctest.Test(t, func(t *testing.T) {
			const each = 500 // with 5 ms after every failure
			s, log := idleServer(t)
			s.cfg.CloseWhenFull = true
			s.slots = make(chan struct{}, 1)
			s.slots <- struct{}{}
			begun := time.Now()
			s.accept(&listener{Listener: &flakyListener{left: 2 * each, err: tt.err}, spec: "flaky"})
			most := int(time.Since(begun)/time.Second) + 1
			s.system.Stop()
			for _, line := range []string{"cannot take a connection", "as many sessions as allowed"} {
				if n := strings.Count(log.String(), `msg="`+line); n < 1 || n > most {
					t.Errorf("%d lines of %q, want 1 to %d", n, line, most)
				}
			}
			if !strings.Contains(log.String(), `like="cannot take`) || !strings.Contains(log.String(), "suppressed=") {
				t.Errorf("what was left out is not told:\n%s", log)
			}
			if n, m := s.system.Refused(tt.want), s.system.Refused(actors.RefusedSessions); n != each || m != each {
				t.Errorf("%d were refused as %v, %d for want of room", n, tt.want, m)
			}
		})
	}
}
