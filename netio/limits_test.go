package netio

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/netio/mta"
	"millstream/protocol"
)

// TestGarbage sends what is no milter packet. Its connection ends, with a line that
// says what it was, and no other session notices.
func TestGarbage(t *testing.T) {
	open := (&protocol.Negotiate{Offer: offer}).Append(nil)
	tests := []struct {
		name, input string
		log         string
		answered    bool     // what came before is answered
		refused     [2]int64 // as garbage, for its offer
	}{
		{"zeros", "\x00\x00\x00\x00", "empty packet", false, [2]int64{1, 0}},
		{"ones", "\xff\xff\xff\xff", "packet too large", false, [2]int64{1, 0}},
		{"http", "GET / HTTP/1.1\r\nHost: mx\r\n\r\n", "looks like an HTTP request", false, [2]int64{1, 0}},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "looks like a TLS hello", false, [2]int64{1, 0}},
		{"smtp", "EHLO client.example\r\n", "looks like an SMTP client", false, [2]int64{1, 0}},
		{"ssh", "SSH-2.0-OpenSSH_9.2\r\n", "looks like an SSH client", false, [2]int64{1, 0}},
		{"before the offer", string((&protocol.Helo{}).Append(nil)), "out of order", false, [2]int64{1, 0}},
		{"unknown command", string(open) + "\x00\x00\x00\x01z", "unknown command", true, [2]int64{}},
		{"without NUL", string(open) + "\x00\x00\x00\x03Hmx", "string without end", true, [2]int64{}},
		{"out of order", string(open) + string((&protocol.EndOfMessage{}).Append(nil)), "out of order", true, [2]int64{}},
		{"offer twice", string(open) + string(open), "out of order", true, [2]int64{}},
		{"too old", "\x00\x00\x00\x0dO\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", "too old", false, [2]int64{0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, log := serve(t, Config{}, handlers.Shared(everything()))
			good := dial(t, s)
			c := raw(t, s)
			_, err := io.WriteString(c, tt.input)
			mustDo(t, err)
			if got := readAll(t, c); (len(got) > 0) != tt.answered {
				t.Errorf("answer %q", got)
			}
			message(t, good)
			if !strings.Contains(log.String(), tt.log) {
				t.Errorf("log %q, want %q", log, tt.log)
			}
			refused := [2]int64{s.system.Refused(actors.RefusedGarbage), s.system.Refused(actors.RefusedOffer)}
			if refused != tt.refused {
				t.Errorf("refused for garbage and for the offer: %v, want %v", refused, tt.refused)
			}
		})
	}
}

// TestGarbageFlood checks that many bad connections do not make many lines.
func TestGarbageFlood(t *testing.T) {
	s, log := serve(t, Config{}, handlers.Shared(everything()))
	begun := time.Now()
	for range 200 {
		c := raw(t, s)
		_, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		mustDo(t, err)
		readAll(t, c)
		mustDo(t, c.Close())
	}
	most := 2 + int(time.Since(begun)/time.Second)
	if n := strings.Count(log.String(), "HTTP"); n < 1 || n > most {
		t.Errorf("%d lines, want 1 to %d", n, most)
	}
}

// TestSilence checks that who says nothing is let go, and who only connects and
// leaves is no matter for the log.
func TestSilence(t *testing.T) {
	s, log := serve(t, Config{Sessions: actors.Config{NegotiateTimeout: 200 * time.Millisecond}}, handlers.Shared(everything()))
	mustDo(t, raw(t, s).Close())
	eventually(t, "the probe is gone", func() bool { return s.Len() == 0 })
	if log.String() != "" {
		t.Errorf("log of a probe: %s", log)
	}
	readAll(t, raw(t, s))
	eventually(t, "a line", func() bool { return strings.Contains(log.String(), "no offer within") })
	if n, m := s.system.Refused(actors.RefusedSilent), s.system.Hits(actors.LimitNegotiateTimeout); n != 1 || m != 1 {
		t.Errorf("%d were refused, %d times the limit was hit", n, m)
	}
}

// TestMaxSessions checks that connections over the limit wait, or are closed.
func TestMaxSessions(t *testing.T) {
	t.Run("wait", func(t *testing.T) {
		s, _ := serve(t, Config{MaxSessions: 1}, handlers.Shared(everything()))
		first := dial(t, s)
		second, err := mta.Dial(t.Context(), spec(s))
		mustDo(t, err)
		defer second.Close()
		message(t, first)
		if s.Len() != 1 {
			t.Errorf("%d sessions", s.Len())
		}
		mustDo(t, first.Close())
		_, _, err = second.Negotiate(offer)
		mustDo(t, err)
		if n, m := s.system.Hits(actors.LimitSessions), s.system.Refused(actors.RefusedSessions); n != 1 || m != 0 {
			t.Errorf("%d times the limit was hit, %d were refused", n, m)
		}
	})
	t.Run("close", func(t *testing.T) {
		s, _ := serve(t, Config{MaxSessions: 1, CloseWhenFull: true}, handlers.Shared(everything()))
		first := dial(t, s)
		for range 3 {
			readAll(t, raw(t, s))
		}
		message(t, first)
		if n, m := s.system.Hits(actors.LimitSessions), s.system.Refused(actors.RefusedSessions); n != 3 || m != 3 {
			t.Errorf("%d times the limit was hit, %d were refused", n, m)
		}
	})
	t.Run("stop", func(t *testing.T) {
		s, log := serve(t, Config{MaxSessions: 1}, handlers.Shared(everything()))
		dial(t, s)
		waits := raw(t, s)
		eventually(t, "it waits", func() bool { return strings.Contains(log.String(), "has to wait") })
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		mustDo(t, s.Shutdown(ended))
		readAll(t, waits)
		if n, m := s.system.Refused(actors.RefusedStopping), s.system.Hits(actors.LimitGrace); n != 1 || m != 1 {
			t.Errorf("%d were refused, %d cut off", n, m)
		}
	})
}

// TestTooManyFiles checks that a server that runs out of file descriptors goes on,
// and takes connections again when there are some.
func TestTooManyFiles(t *testing.T) {
	s, log := serve(t, Config{}, handlers.Shared(everything()))
	good := dial(t, s)
	client := dialLater(t, s)
	restore := noMoreFiles(t)
	defer restore()
	client.connect(t)
	eventually(t, "a line", func() bool { return strings.Contains(log.String(), "cannot take a connection") })
	if s.system.Refused(actors.RefusedDescriptors) == 0 {
		t.Error("not counted")
	}
	message(t, good)
	restore()
	c := mta.NewConn(client.conn(t))
	defer c.Close()
	_, _, err := c.Negotiate(offer)
	mustDo(t, err)
	message(t, c)
}

// TestSplitPackets sends a session byte by byte, and in one piece.
func TestSplitPackets(t *testing.T) {
	var session []byte
	for _, c := range []protocol.Command{
		&protocol.Negotiate{Offer: offer},
		protocol.NewMacro(protocol.CodeHelo, "tls_version", "TLSv1.3"),
		&protocol.Helo{Name: protocol.View("mx")},
		&protocol.MailFrom{Addr: protocol.View("<a@example.com>")},
		&protocol.EndOfMessage{},
		&protocol.Quit{},
	} {
		session = c.Append(session)
	}
	var outputs []string
	for _, size := range []int{1, 3, len(session)} {
		s, _ := serve(t, Config{}, handlers.Shared(everything()))
		c := raw(t, s)
		for rest := session; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			_, err := c.Write(rest[:min(size, len(rest))])
			mustDo(t, err)
		}
		outputs = append(outputs, string(readAll(t, c)))
	}
	if outputs[0] == "" || outputs[1] != outputs[0] || outputs[2] != outputs[0] {
		t.Errorf("answers differ: %q", outputs)
	}
}

// TestLargePackets sends packets that no read takes at once.
func TestLargePackets(t *testing.T) {
	sizes := make(chan int, 10)
	s, _ := serve(t, Config{}, handlers.Shared(handlers.Chain(
		handlers.On(func(_ *handlers.Session, h *protocol.Header) handlers.Reply {
			sizes <- len(h.Value)
			return handlers.Continue
		}),
		handlers.On(func(_ *handlers.Session, b *protocol.Body) handlers.Reply {
			sizes <- len(b.Chunk)
			return handlers.Continue
		}),
		handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Accept }),
	)))
	c := dial(t, s)
	header := strings.Repeat("x", protocol.DefaultMaxPacketSize-10)
	for _, cmd := range []protocol.Command{
		&protocol.MailFrom{Addr: protocol.View("<>")},
		&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View(header)},
		&protocol.Body{Chunk: make(protocol.View, 65535)},
		&protocol.Body{Chunk: make(protocol.View, 300_000)},
		&protocol.EndOfMessage{},
	} {
		_, _, err := c.Do(cmd)
		mustDo(t, err)
	}
	for _, want := range []int{len(header), 65535, 300_000} {
		if got := <-sizes; got != want {
			t.Errorf("%d bytes, want %d", got, want)
		}
	}
	tooLarge := raw(t, s)
	_, _ = tooLarge.Write(append([]byte{0, 16, 0, 1}, make([]byte, 1<<20)...))
	if got := readAll(t, tooLarge); len(got) > 0 {
		t.Errorf("answer %q to a packet that is too large", got)
	}
}

// TestManySessions opens more sessions than there would be goroutines for.
func TestManySessions(t *testing.T) {
	s, _ := serve(t, Config{Listen: []string{tempSocket(t)}, Backlog: 4096}, handlers.Shared(everything()))
	const n = 400
	conns := make([]*mta.Conn, n)
	for i := range conns {
		conns[i] = dial(t, s)
	}
	if s.Len() != n || len(s.Sessions()) != n {
		t.Errorf("%d sessions", s.Len())
	}
	for _, c := range conns {
		message(t, c)
		mustDo(t, c.Close())
	}
	eventually(t, "all have left", func() bool { return s.Len() == 0 })
}

// noMoreFiles leaves no file descriptor to be opened, until restore is called.
func noMoreFiles(t *testing.T) (restore func()) {
	t.Helper()
	free, err := syscall.Dup(0) // the lowest one that is free
	mustDo(t, err)
	mustDo(t, syscall.Close(free))
	var limit syscall.Rlimit
	mustDo(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	lowered := limit
	lowered.Cur = uint64(free)
	mustDo(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lowered))
	return func() { mustDo(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)) }
}

// lateClient is a client whose socket is there before it connects.
type lateClient struct {
	fd   int
	addr syscall.Sockaddr
}

func dialLater(t *testing.T, s *Server) *lateClient {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	mustDo(t, err)
	syscall.CloseOnExec(fd)
	a := s.Addrs()[0].(*net.TCPAddr)
	return &lateClient{fd, &syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}}
}

func (l *lateClient) connect(t *testing.T) {
	t.Helper()
	mustDo(t, syscall.Connect(l.fd, l.addr))
}

func (l *lateClient) conn(t *testing.T) net.Conn {
	t.Helper()
	f := os.NewFile(uintptr(l.fd), "client")
	c, err := net.FileConn(f)
	mustDo(t, errors.Join(err, f.Close()))
	return c
}
