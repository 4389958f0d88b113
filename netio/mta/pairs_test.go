package mta

import (
	"net"
	"path/filepath"
	"testing"
)

// socket is a pair of connections that hold what was written.
func socket(tb testing.TB) (ours, theirs net.Conn) {
	tb.Helper()
	l, err := net.Listen("unix", filepath.Join(tb.TempDir(), "s"))
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("unix", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	return ours, theirs
}

// pipe is a pair of connections where a write lasts until it was read.
func pipe(testing.TB) (ours, theirs net.Conn) { return net.Pipe() }

// drip is a pipe of which the MTA reads one byte at a time.
func drip(tb testing.TB) (ours, theirs net.Conn) {
	ours, theirs = pipe(tb)
	return dripping{ours}, theirs
}

var pairs = map[string]func(testing.TB) (ours, theirs net.Conn){"socket": socket, "pipe": pipe, "drip": drip}

type dripping struct{ net.Conn }

func (d dripping) Read(b []byte) (int, error) { return d.Conn.Read(b[:min(1, len(b))]) }

// A counting Conn counts writes.
type counting struct {
	net.Conn
	writes int
}

func (c *counting) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}
