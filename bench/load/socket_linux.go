package load

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"millstream/netio/mta"
)

// A target is where a milter listens.
type target struct {
	family   int
	sockaddr unix.Sockaddr
	delay    bool // Nagle's algorithm is on
}

// resolve finds a milter. Names are looked up once.
func resolve(address string) (t target, err error) {
	network, host, err := mta.ParseAddress(address)
	if err != nil {
		return t, err
	}
	if network == "unix" {
		return target{family: unix.AF_UNIX, sockaddr: &unix.SockaddrUnix{Name: host}}, nil
	}
	a, err := net.ResolveTCPAddr(network, host)
	if err != nil {
		return t, fmt.Errorf("milter: %w", err)
	}
	if ip := a.IP.To4(); ip != nil || a.IP == nil && network != "tcp6" {
		sa := &unix.SockaddrInet4{Port: a.Port}
		copy(sa.Addr[:], ip)
		return target{family: unix.AF_INET, sockaddr: sa}, nil
	}
	sa := &unix.SockaddrInet6{Port: a.Port}
	copy(sa.Addr[:], a.IP)
	if i, err := net.InterfaceByName(a.Zone); err == nil {
		sa.ZoneId = uint32(i.Index)
	}
	return target{family: unix.AF_INET6, sockaddr: sa}, nil
}

// clone returns a target for another goroutine: connecting writes to the address.
func (t *target) clone() target {
	own := *t
	switch sa := t.sockaddr.(type) {
	case *unix.SockaddrUnix:
		address := *sa
		own.sockaddr = &address
	case *unix.SockaddrInet4:
		address := *sa
		own.sockaddr = &address
	case *unix.SockaddrInet6:
		address := *sa
		own.sockaddr = &address
	}
	return own
}

// connect begins a connection. It may be under way when it returns.
func (t *target) connect() (fd int, underWay bool, err error) {
	fd, err = unix.Socket(t.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, false, connectError(err)
	}
	if t.family != unix.AF_UNIX && !t.delay {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // only slower without it
	}
	switch err = unix.Connect(fd, t.sockaddr); {
	case err == nil:
		return fd, false, nil
	case errors.Is(err, unix.EINPROGRESS):
		return fd, true, nil
	}
	_ = unix.Close(fd)
	return -1, false, connectError(err)
}

// connected returns how a connection that was under way has ended.
func connected(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	if err != nil {
		return connectError(err)
	}
	return nil
}

// connectError says why there is no connection.
func connectError(err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EADDRNOTAVAIL):
		hint = ": this machine has no local port left; use a unix socket, or more messages per connection"
	case errors.Is(err, unix.EMFILE):
		hint = ": each session is one; allow this process more with ulimit -n, or have fewer sessions"
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOENT):
		hint = ": does the milter listen there?"
	}
	return fmt.Errorf("milter: no connection: %w%s", err, hint)
}

// isFull reports whether a connection was refused only because the milter has not
// accepted those before it.
func isFull(err error) bool { return errors.Is(err, unix.EAGAIN) }

// read reads what has come. It returns 0 at the end, and isFull errors if nothing
// has come.
func read(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// write writes as much as there is room for.
func write(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// closeSocket closes a connection; with reset it breaks it.
func closeSocket(fd int, reset bool) {
	if reset {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // on unix sockets all is as without it
	}
	_ = unix.Close(fd)
}

// A poller waits for sockets and for a time.
type poller struct {
	epoll, bell int
	events      [256]unix.EpollEvent
	blocked     bool // the last wait has slept
	coarse      bool // the kernel can only wait for whole milliseconds: before Linux 5.11
}

// ownSlot is the slot of the poller's own bell.
const ownSlot = -1

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{epoll: epoll, bell: -1}
	if p.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		p.close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err := p.control(unix.EPOLL_CTL_ADD, p.bell, ownSlot, 0, unix.EPOLLIN); err != nil {
		p.close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p, nil
}

func (p *poller) close() {
	for _, fd := range []int{p.bell, p.epoll} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// wake ends a wait, or the next one. It may be called by another goroutine.
func (p *poller) wake() {
	one := [8]byte{1} // whatever the order of bytes is, it is not 0
	_, _ = write(p.bell, one[:])
}

func (p *poller) control(op, fd, slot int, turn uint32, events uint32) error {
	return unix.EpollCtl(p.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(slot), Pad: int32(turn)})
}

// add begins to watch a socket for what comes, and for room if room is set.
func (p *poller) add(fd, slot int, turn uint32, room bool) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, slot, turn, interest(true, room))
}

// change changes what is watched.
func (p *poller) change(fd, slot int, turn uint32, input, room bool) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, slot, turn, interest(input, room))
}

func interest(input, room bool) (events uint32) {
	if input {
		events |= unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if room {
		events |= unix.EPOLLOUT
	}
	return events
}

// exactly has the calling goroutine keep its thread for itself, and the waits of that
// thread end when they should: the kernel would lengthen them by 50 µs, to end several at
// once. The thread ends with the goroutine.
func (*poller) exactly() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // nanoseconds; without it latencies are longer
}

// wait returns how many events there are. It waits for the first one, for at most
// some nanoseconds.
func (p *poller) wait(nanoseconds int64) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	p.blocked = errno != 0 || n == 0 && nanoseconds > 0
	if !p.blocked {
		return int(n), nil
	}
	some, err := p.block(max(nanoseconds, 0))
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return some, err
}

// block is wait when there is nothing yet.
func (p *poller) block(nanoseconds int64) (int, error) {
	if !p.coarse {
		const second = int64(time.Second)
		timeout := [2]int64{nanoseconds / second, nanoseconds % second} // of 64 bits on every machine
		n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.epoll),
			uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(unsafe.Pointer(&timeout)), 0, 0)
		if errno == 0 {
			return int(n), nil
		}
		if p.coarse = errno == unix.ENOSYS; !p.coarse {
			return 0, errno
		}
	}
	return unix.EpollWait(p.epoll, p.events[:], int((nanoseconds+999_999)/1_000_000))
}

// event returns an event of the last wait: the slot that it is for, in which turn of
// it, and whether something has come or there is room.
func (p *poller) event(i int) (slot int, turn uint32, input, room bool) {
	e := &p.events[i]
	if e.Fd == ownSlot {
		var count [8]byte
		_, _ = read(p.bell, count[:]) // it is enough that there was something
	}
	return int(e.Fd), uint32(e.Pad), e.Events&^unix.EPOLLOUT != 0, e.Events&unix.EPOLLOUT != 0
}
