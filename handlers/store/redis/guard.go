package redis

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
)

// errNoise is what something says that is not Redis.
var errNoise = errors.New("what answers does not speak the protocol of Redis")

// Limits of what Redis says to us. They are far over what it does say, and keep what
// is not Redis from having the client make room for anything it names.
const (
	maxLine  = 64 << 10
	maxBulk  = 1 << 20
	maxArray = 1 << 16
	maxDepth = 8
)

// guarded is a connection to Redis. The client panics where there is an answer too
// many, in a goroutine of its own, and makes room for whatever size it is told: so
// nothing of this kind comes as far as the client.
type guarded struct {
	net.Conn
	said, heard framing
	asked       atomic.Int64 // how many commands were sent
}

// Write sends commands.
func (g *guarded) Write(b []byte) (int, error) {
	if err := g.said.feed(b); err != nil {
		return 0, err
	}
	g.asked.Store(g.said.values)
	return g.Conn.Write(b)
}

// Read reads answers, of which there are no more than commands, or fails with errNoise.
func (g *guarded) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if noise := g.heard.feed(b[:n]); noise != nil {
		return 0, noise
	}
	if g.heard.values > g.asked.Load() {
		return 0, fmt.Errorf("%w: an answer that nobody asked for", errNoise)
	}
	return n, err
}

// framing follows the form of version 2 of the protocol: lines that begin with their
// type and end with CR LF, strings whose length is in such a line, arrays whose number
// of elements is. See https://redis.io/docs/latest/develop/reference/protocol-spec/.
type framing struct {
	kind byte    // the type of the line that is being read; zero between lines
	line []byte  // what there is of a line with a number; of others only the last byte
	size int     // of the line, so far
	skip int64   // what is still to come of a string, its CR LF included
	left []int64 // how many elements are still to come, of each array the next one is in

	values int64 // how many were complete that are in no array
}

// feed goes on by b.
func (f *framing) feed(b []byte) error {
	for len(b) > 0 {
		switch c := b[0]; {
		case f.skip > 0:
			n := min(f.skip, int64(len(b)))
			b = b[n:]
			if f.skip -= n; f.skip == 0 {
				f.whole()
			}
			continue
		case f.kind == 0:
			if c != '+' && c != '-' && c != ':' && c != '$' && c != '*' {
				return fmt.Errorf("%w: nothing begins with %q", errNoise, c)
			}
			f.kind, f.line, f.size = c, f.line[:0], 0
		case c == '\n':
			if err := f.endLine(); err != nil {
				return err
			}
		default:
			if err := f.grow(c); err != nil {
				return err
			}
		}
		b = b[1:]
	}
	return nil
}

// grow adds a byte to the line.
func (f *framing) grow(c byte) error {
	if f.kind == '+' || f.kind == '-' {
		f.line = f.line[:0]
	}
	f.line = append(f.line, c)
	if f.size++; f.size > maxLine || len(f.line) > len("-9223372036854775808\r") {
		return fmt.Errorf("%w: a line is too long", errNoise)
	}
	return nil
}

// endLine takes a line that is complete.
func (f *framing) endLine() error {
	last := len(f.line) - 1
	if last < 0 || f.line[last] != '\r' {
		return fmt.Errorf("%w: a line without CR", errNoise)
	}
	kind := f.kind
	f.kind = 0
	if kind == '+' || kind == '-' {
		f.whole()
		return nil
	}
	n, err := strconv.ParseInt(string(f.line[:last]), 10, 64)
	switch {
	case err != nil, f.line[0] == '+':
		return fmt.Errorf("%w: %q is no number", errNoise, f.line[:last])
	case kind == ':', n == -1, kind == '*' && n == 0:
		f.whole()
	case n < 0, kind == '$' && n > maxBulk, kind == '*' && n > maxArray, kind == '*' && len(f.left) == maxDepth:
		return fmt.Errorf("%w: %c%d is out of bounds", errNoise, kind, n)
	case kind == '$':
		f.skip = n + int64(len("\r\n"))
	default:
		f.left = append(f.left, n)
	}
	return nil
}

// whole counts a value that is complete, and the arrays that are complete with it.
func (f *framing) whole() {
	for last := len(f.left) - 1; last >= 0; last-- {
		if f.left[last]--; f.left[last] > 0 {
			return
		}
		f.left = f.left[:last]
	}
	f.values++
}
