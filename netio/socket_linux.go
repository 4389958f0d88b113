package netio

import (
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"unsafe"

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

// maxSendNow is how many bytes sendNow takes. To copy them takes a microsecond or two.
const maxSendNow = 16 << 10

// sendNow gives the kernel what it takes of b without waiting, and returns how much that
// is. The error says why a connection is broken, and is told only once: the next write
// has EPIPE. Answers are short and many, and most of what one costs is its system call:
// this one does not go by way of the file system, and as it never waits the scheduler of
// Go is not told of it.
func sendNow(fd int, b []byte) (n int, err error) {
	if len(b) == 0 || len(b) > maxSendNow {
		return 0, nil
	}
	sent, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	runtime.KeepAlive(b)
	switch errno {
	case 0:
		return int(sent), nil
	case unix.EAGAIN:
		return 0, nil
	}
	return 0, os.NewSyscallError("write", errno)
}

// shutWrite ends the output of a connection. The MTA reads what was sent, and then
// the end.
func shutWrite(fd int) { _ = unix.Shutdown(fd, unix.SHUT_WR) }
