package load

import (
	"errors"
	"fmt"
	"net"
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
	epoll, clock, bell int
	events             [256]unix.EpollEvent
	blocked            bool // the last wait has slept
}

// ownSlot is the slot of the poller's own clock and bell, which are told apart by
// these turns.
const (
	ownSlot   = -1
	clockTurn = 0
	bellTurn  = 1
)

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{epoll: epoll, clock: -1, bell: -1}
	if p.clock, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		p.close()
		return nil, fmt.Errorf("timerfd: %w", err)
	}
	if p.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		p.close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	for turn, fd := range []int{clockTurn: p.clock, bellTurn: p.bell} {
		if err := p.control(unix.EPOLL_CTL_ADD, fd, ownSlot, uint32(turn), unix.EPOLLIN); err != nil {
			p.close()
			return nil, fmt.Errorf("epoll: %w", err)
		}
	}
	return p, nil
}

func (p *poller) close() {
	for _, fd := range []int{p.clock, p.bell, p.epoll} {
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

// wait returns how many events there are. It waits for the first one, for at most
// some nanoseconds.
func (p *poller) wait(nanoseconds int64) (int, error) {
	p.blocked = false
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if errno == 0 && n > 0 || nanoseconds <= 0 {
		return int(n), nil
	}
	if errno != 0 && errno != unix.EINTR {
		return 0, errno
	}
	p.blocked = true
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(nanoseconds)}
	if err := unix.TimerfdSettime(p.clock, 0, &at, nil); err != nil {
		return 0, fmt.Errorf("timerfd: %w", err)
	}
	some, err := unix.EpollWait(p.epoll, p.events[:], -1)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return some, err
}

// event returns an event of the last wait: the slot that it is for, in which turn of
// it, and whether something has come or there is room.
func (p *poller) event(i int) (slot int, turn uint32, input, room bool) {
	e := &p.events[i]
	if e.Fd == ownSlot {
		fd := p.clock
		if e.Pad == bellTurn {
			fd = p.bell
		}
		var count [8]byte
		_, _ = read(fd, count[:]) // it is enough that there was something
	}
	return int(e.Fd), uint32(e.Pad), e.Events&^unix.EPOLLOUT != 0, e.Events&unix.EPOLLOUT != 0
}
