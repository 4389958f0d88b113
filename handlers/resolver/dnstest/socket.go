package dnstest

import (
	"net"
	"sync"
)

// A Socket is a server of UDP that answers what it is told to.
type Socket struct {
	// Addr is its address with the port.
	Addr string

	conn net.PacketConn
	done chan struct{}

	mu    sync.Mutex
	count int
}

// Serve runs a server that sends back what answer makes of each query, datagram by
// datagram. answer is called by one goroutine.
func Serve(t TB, answer func(query []byte) [][]byte) *Socket {
	t.Helper()
	return ServeAt(t, "127.0.0.1:0", answer)
}

// ServeAt is Serve at an address with its port, such as that of an [NSD] that was stopped.
func ServeAt(t TB, address string, answer func(query []byte) [][]byte) *Socket {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &Socket{Addr: conn.LocalAddr().String(), conn: conn, done: make(chan struct{})}
	go s.serve(answer)
	t.Cleanup(s.Close)
	return s
}

func (s *Socket) serve(answer func([]byte) [][]byte) {
	defer close(s.done)
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.count++
		s.mu.Unlock()
		for _, datagram := range answer(append([]byte(nil), buf[:n]...)) {
			_, _ = s.conn.WriteTo(datagram, from)
		}
	}
}

// Queries returns how many queries came.
func (s *Socket) Queries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Close ends the server. It may be called again.
func (s *Socket) Close() {
	_ = s.conn.Close()
	<-s.done
}
