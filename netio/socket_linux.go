package netio

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// controlSocket returns what is done to a TCP socket before it is bound.
func controlSocket(cfg *Config) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		if !cfg.ReusePort {
			return nil
		}
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}), err)
	}
}

// setBacklog sets how many connections wait to be accepted; 0 leaves it as it is.
func setBacklog(l net.Listener, backlog int) error {
	if backlog == 0 {
		return nil
	}
	sc, ok := l.(syscall.Conn)
	if !ok {
		return nil
	}
	c, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var listenErr error
	err = c.Control(func(fd uintptr) { listenErr = unix.Listen(int(fd), backlog) })
	return errors.Join(err, listenErr)
}

// acknowledge has the kernel acknowledge what was read, at once.
func acknowledge(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
}

// shutWrite ends the output of a connection. The MTA reads what was sent, and then
// the end.
func shutWrite(fd int) { _ = unix.Shutdown(fd, unix.SHUT_WR) }
