package load

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Who cannot connect is told what to do.
func TestConnectError(t *testing.T) {
	for err, hint := range map[error]string{
		unix.EMFILE: "ulimit -n", unix.EADDRNOTAVAIL: "a unix socket", unix.ENOENT: "does the milter listen", unix.EACCES: "permission denied",
	} {
		if got := connectError(err); !errors.Is(got, err) || !strings.Contains(got.Error(), hint) {
			t.Errorf("%v: no %q", got, hint)
		}
	}
}

// A wait for nothing ends, also where the kernel counts in milliseconds.
func TestPollerTime(t *testing.T) {
	p := openPoller(t)
	for _, coarse := range []bool{false, true} {
		p.coarse = coarse
		if n, err := p.wait(1); n != 0 || err != nil || !p.blocked {
			t.Errorf("coarse %v: %d events, %v, blocked %v", coarse, n, err, p.blocked)
		}
	}
}
