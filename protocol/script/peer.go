package script

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"millstream/protocol"
)

// A Peer is a milter that scripts are played to.
type Peer interface {
	// Send sends bytes in one write. An error says that the milter is gone, which
	// Receive then tells, too.
	Send(p []byte) error

	// Receive returns what has come, and waits for it if nothing has. With nothing
	// still, it returns none. The error says that the milter has closed the
	// connection: it is io.EOF, or that of the transport.
	Receive(wait time.Duration) ([]byte, error)

	// Leave ends the connection; with reset it breaks.
	Leave(reset bool)
}

// An Inside is a [Peer] that can be looked into, and that has done all there is to
// do when Receive returns.
type Inside interface {
	// State returns the state of the session.
	State() protocol.State

	// Events returns what handlers were told since the last call.
	Events() []Event

	// Writes returns how often the milter has written since the last call.
	Writes() int

	// Advance lets time pass.
	Advance(d time.Duration)
}

// conn is a milter at the other end of a connection.
type conn struct {
	net.Conn
	buf []byte
}

// NewConn returns the milter at the other end of c.
func NewConn(c net.Conn) Peer { return &conn{c, make([]byte, 64<<10)} }

// Send is [Peer].
func (c *conn) Send(p []byte) error {
	_, err := c.Write(p)
	return err
}

// atOnce is how long is waited for what has come already.
const atOnce = time.Millisecond

// Receive is [Peer].
func (c *conn) Receive(wait time.Duration) ([]byte, error) {
	c.SetReadDeadline(time.Now().Add(max(wait, atOnce)))
	n, err := c.Read(c.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil // it comes again
	}
	return c.buf[:n], err
}

// Leave is [Peer].
func (c *conn) Leave(reset bool) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // what is closed then is reset
	}
	c.Close()
}
