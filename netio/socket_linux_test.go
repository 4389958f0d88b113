package netio

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// TestSendNow sends until the kernel takes no more. What it has taken arrives, and nothing
// else; that it takes nothing is no error.
func TestSendNow(t *testing.T) {
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			here, there := pair(t, network)
			fd := fdOf(t, here)
			var want []byte
			for i := 0; ; i++ {
				b := bytes.Repeat([]byte{byte(i)}, maxSendNow-i%1000)
				n, err := sendNow(fd, b)
				mustDo(t, err)
				if want = append(want, b[:n]...); n == 0 {
					break
				}
			}
			mustDo(t, here.Close())
			if got := readAll(t, there); !bytes.Equal(got, want) {
				t.Errorf("%d bytes arrive, and are others than the %d that were taken", len(got), len(want))
			}
		})
	}
}

// TestSendNowNothing leaves to others what is too much, and what is nothing.
func TestSendNowNothing(t *testing.T) {
	here, there := pair(t, "unix")
	fd := fdOf(t, here)
	for _, size := range []int{0, maxSendNow + 1} {
		if n, err := sendNow(fd, make([]byte, size)); n != 0 || err != nil {
			t.Errorf("%d of %d bytes, %v", n, size, err)
		}
	}
	mustDo(t, here.Close())
	if got := readAll(t, there); len(got) > 0 {
		t.Errorf("%d bytes arrive", len(got))
	}
}

// TestSendNowBroken tells why a connection is broken that the peer has reset.
func TestSendNowBroken(t *testing.T) {
	here, there := pair(t, "tcp")
	fd := fdOf(t, here)
	mustDo(t, there.(*net.TCPConn).SetLinger(0))
	mustDo(t, there.Close())
	awaitBroken(t, fd)
	if n, err := sendNow(fd, []byte("x")); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := sendNow(fd, []byte("x")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("then %d bytes, %v", n, err)
	}
}

// TestFullSocket has an MTA read nothing until all changes and the answer are written: they
// arrive whole and in order.
func TestFullSocket(t *testing.T) {
	const n, size = 2400, 12000 // far more than sockets hold
	name := func(i int) string { return fmt.Sprint("X-", i) }
	value := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), size-i) }
	for _, listen := range []string{"inet:0@127.0.0.1", tempSocket(t)} {
		written := make(chan bool, 1)
		s, _ := serve(t, Config{Listen: []string{listen}, Sessions: actors.Config{MaxOutbound: 2 * n * size}}, handlers.Shared(handlers.Chain(
			handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
				for i := range n {
					m.AddHeader(name(i), value(i))
					m.Flush() // a write of its own
				}
				return handlers.Accept
			}),
			handlers.Observe(func(*handlers.Session, *handlers.Result) { written <- true }),
		)))
		c := dial(t, s)
		mustDo(t, c.Send(&protocol.MailFrom{Addr: protocol.View("<>")}))
		mustDo(t, c.Send(&protocol.EndOfMessage{}))
		<-written
		for i := range n {
			a, err := c.Read()
			mustDo(t, err)
			if a.Code != protocol.CodeAddHeader || a.Name.String() != name(i) || a.Value.String() != value(i) {
				t.Fatalf("change %d is %v %q", i, a.Code, a.Name)
			}
		}
		a, err := c.Read()
		mustDo(t, err)
		if a.Status() != protocol.StatusAccept {
			t.Errorf("answer %v", a.Code)
		}
	}
}

// TestReset answers an MTA that has reset its connection: the session ends with that for a
// reason, and not with what the next write comes to.
func TestReset(t *testing.T) {
	asked, reset, ended := make(chan bool), make(chan bool), make(chan error, 1)
	s, _ := serve(t, Config{}, handlers.Shared(handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
			asked <- true
			<-reset
			return handlers.Continue
		}),
		handlers.Observe(func(_ *handlers.Session, f *handlers.Finished) { ended <- f.Err }),
	)))
	c := raw(t, s)
	packets := (&protocol.Negotiate{Offer: offer}).Append(nil)
	_, err := c.Write((&protocol.MailFrom{Addr: protocol.View("<>")}).Append(packets))
	mustDo(t, err)
	<-asked
	mustDo(t, c.(*net.TCPConn).SetLinger(0))
	mustDo(t, c.Close())
	close(reset)
	if err := <-ended; !errors.Is(err, handlers.ErrIO) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("it ended with %v", err)
	}
}

// networks are those of connections.
var networks = []string{"tcp", "unix"}

// pair returns both ends of a connection.
func pair(t *testing.T, network string) (here, there net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = strings.TrimPrefix(tempSocket(t), "unix:")
	}
	l, err := net.Listen(network, address)
	mustDo(t, err)
	there, err = net.Dial(network, l.Addr().String())
	mustDo(t, err)
	here, err = l.Accept()
	mustDo(t, errors.Join(err, l.Close()))
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}

// fdOf returns the file descriptor of a connection, which is good until it is closed.
func fdOf(t *testing.T, c net.Conn) (fd int) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	mustDo(t, errors.Join(err, raw.Control(func(n uintptr) { fd = int(n) })))
	return fd
}

// awaitBroken waits until a connection is broken.
func awaitBroken(t *testing.T, fd int) {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd)}}, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if mustDo(t, err); n == 0 {
			t.Fatal("the connection is not broken")
		}
		return
	}
}
