// Command epoll is the floor: what a message costs a server in Go that does little
// more than the system calls. It is one epoll loop on one thread. It answers what
// the other peers answer and adds the same header, but of a packet it knows only
// the length and the code: it decodes nothing but the offer, keeps no state of
// a session and calls no handler. The distance to it is all that a server could
// still gain by being faster itself.
//
// Its system calls are those of any program in Go, also of gnet: before and after
// each the scheduler is told. With -raw it is not.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"log"
	"net"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"millstream/protocol"
)

func main() {
	addr := flag.String("addr", "", "socket to listen on: unix:path or inet:port@host")
	stream := flag.Bool("stream", false, "answer nothing before the end of the message")
	raw := flag.Bool("raw", false, "make system calls without telling Go's scheduler")
	flag.Parse()
	fd, err := listen(*addr)
	if err != nil {
		log.Fatal(err)
	}
	l := loop{listener: fd, syscall: unix.Syscall6, in: make([]byte, 128<<10)} // the largest packet is a body of 64 KiB
	if *raw {
		l.syscall = unix.RawSyscall6
	}
	l.want.Actions = protocol.ActionAddHeaders
	if *stream {
		l.want.Steps = noReply
	}
	log.Fatal(l.run())
}

// listen returns a socket that the runtime does not poll, a copy of its own.
func listen(addr string) (fd int, err error) {
	network, address, _ := strings.Cut(addr, ":")
	if network == "inet" {
		port, host, _ := strings.Cut(address, "@")
		network, address = "tcp", net.JoinHostPort(host, port)
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(s uintptr) { fd, failed = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, failed); err == nil && network == "tcp" {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // connections inherit it
	}
	return fd, err
}

// loop serves all connections.
type loop struct {
	epoll, listener int
	syscall         func(number, a, b, c, d, e, f uintptr) (r1, r2 uintptr, errno syscall.Errno)
	want            protocol.Request
	conns           []conn // by file descriptor
	in, out         []byte // what was read, and the answers to it
}

// conn is a connection.
type conn struct {
	rest  []byte         // what was read of a packet that is not whole
	steps protocol.Steps // agreed on
}

// run returns only if it fails.
func (l *loop) run() (err error) {
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if err := l.watch(l.listener); err != nil {
		return err
	}
	events := make([]unix.EpollEvent, 256)
	for {
		n, errno := l.call(unix.SYS_EPOLL_PWAIT, l.epoll, unsafe.Pointer(&events[0]), len(events))
		if errno != 0 && errno != unix.EINTR {
			return errno
		}
		for _, e := range events[:max(n, 0)] {
			if fd := int(e.Fd); fd != l.listener {
				l.serve(fd)
			} else if err := l.accept(); err != nil {
				return err
			}
		}
	}
}

// call makes a system call with the memory at p. The -1 has epoll wait for ever.
func (l *loop) call(number uintptr, fd int, p unsafe.Pointer, size int) (int, unix.Errno) {
	n, _, errno := l.syscall(number, uintptr(fd), uintptr(p), uintptr(size), ^uintptr(0), 0, 0)
	runtime.KeepAlive(p)
	return int(n), errno
}

// watch has the loop told when there is something to read, for as long as there is.
func (l *loop) watch(fd int) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// accept takes one connection; if there are more, the listener is reported again.
func (l *loop) accept() error {
	fd, _, err := unix.Accept4(l.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == unix.EAGAIN || err == unix.ECONNABORTED {
		return nil
	}
	if err != nil {
		return err
	}
	for len(l.conns) <= fd {
		l.conns = append(l.conns, conn{})
	}
	l.conns[fd] = conn{rest: l.conns[fd].rest[:0]}
	return l.watch(fd)
}

// serve reads once and answers with one write, or closes.
func (l *loop) serve(fd int) {
	c := &l.conns[fd]
	have := copy(l.in, c.rest)
	n, errno := l.call(unix.SYS_READ, fd, unsafe.Pointer(&l.in[have]), len(l.in)-have)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return
	}
	rest, open := l.answer(c, l.in[:have+max(n, 0)])
	if len(l.out) > 0 {
		sent, _ := l.call(unix.SYS_WRITE, fd, unsafe.Pointer(&l.out[0]), len(l.out))
		open = open && sent == len(l.out) // or the MTA reads no answers
	}
	c.rest = append(c.rest[:0], rest...)
	if !open || n <= 0 || len(rest) == len(l.in) {
		_ = unix.Close(fd)
	}
}

// answer sets l.out to the answers to the packets in b. It returns what is left
// of b, and whether the connection goes on.
func (l *loop) answer(c *conn, b []byte) (rest []byte, open bool) {
	l.out = l.out[:0]
	for len(b) >= protocol.HeaderSize {
		size := 4 + int(binary.BigEndian.Uint32(b))
		if len(b) < size {
			break
		}
		code := protocol.Code(b[4])
		if code == protocol.CodeQuit || code == protocol.CodeNegotiate && !l.negotiate(c, b[4:size]) {
			return nil, false
		}
		if c.steps&silent[code] == 0 {
			l.out = append(l.out, answers[code]...)
		}
		b = b[size:]
	}
	return b, true
}

// negotiate answers an offer: its code, then version, actions and steps.
func (l *loop) negotiate(c *conn, offer []byte) bool {
	if len(offer) < 1+3*4 {
		return false
	}
	agreed, err := protocol.Agree(protocol.Options{
		Version: binary.BigEndian.Uint32(offer[1:]),
		Actions: protocol.Actions(binary.BigEndian.Uint32(offer[5:])),
		Steps:   protocol.Steps(binary.BigEndian.Uint32(offer[9:])),
	}, l.want)
	c.steps = agreed.Wire.Steps
	l.out = agreed.Append(l.out)
	return err == nil
}

// By code: the answer, and the step with which there is none; and all those steps.
var answers, silent, noReply = func() (answers [256][]byte, silent [256]protocol.Steps, all protocol.Steps) {
	goOn := protocol.AppendReply(nil, protocol.StatusContinue, nil)
	for code := range silent {
		if silent[code] = protocol.NoReply(protocol.Code(code)); silent[code] != 0 {
			answers[code], all = goOn, all|silent[code]
		}
	}
	header, _ := protocol.AppendAddHeader(nil, "X-Peer", "epoll")
	answers[protocol.CodeEndOfMessage] = append(header, goOn...)
	return answers, silent, all
}()
