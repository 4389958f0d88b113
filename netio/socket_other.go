//go:build !linux

package netio

import (
	"errors"
	"net"
	"syscall"
)

// controlSocket refuses what only Linux has.
func controlSocket(cfg *Config) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, _ syscall.RawConn) error {
		if cfg.ReusePort {
			return errors.ErrUnsupported
		}
		return nil
	}
}

func setBacklog(net.Listener, int) error { return nil }

func acknowledge(int) {}

func sendNow(int, []byte) (n int, err error) { return 0, nil }

func shutWrite(fd int) { _ = syscall.Shutdown(fd, syscall.SHUT_WR) }
