package mta

import (
	"errors"
	"fmt"
	"io"

	"millstream/protocol"
)

const (
	firstBuffer = 4 << 10 // bytes of the receive buffer before it grows

	// Commands without an answer are gathered up to as many bytes by Deliver.
	maxGathered = 32 << 10
)

// Read reads one answer. It is valid until the next call. It may come to any
// command, or to none: that is for the caller to judge. The error is io.EOF where
// the milter closed the connection, protocol.ErrProtocol where it sent nonsense,
// or that of the connection.
func (c *Conn) Read() (protocol.Answer, error) {
	a, err := c.read()
	if err != nil {
		return protocol.Answer{}, c.unanswered("", err)
	}
	return a, nil
}

// read reads one answer. The error is not yet explained.
func (c *Conn) read() (protocol.Answer, error) {
	for {
		code, body, n, err := protocol.Frame(c.in[c.r:c.w], protocol.DefaultMaxPacketSize)
		if err != nil {
			return protocol.Answer{}, err
		}
		if n > 0 {
			c.r += n
			return protocol.DecodeAnswer(code, body)
		}
		if err := c.fill(); err != nil {
			return protocol.Answer{}, err
		}
	}
}

// fill reads more bytes. What was read before moves, so it may only be called when
// the last answer is done with.
func (c *Conn) fill() error {
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w == len(c.in) && c.r > 0:
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.in) {
		grown := make([]byte, max(firstBuffer, 2*len(c.in)))
		copy(grown, c.in[:c.w])
		c.in = grown
	}
	n, err := io.ReadAtLeast(c.conn, c.in[c.w:], 1)
	c.w += n
	if n == 0 && errors.Is(err, io.EOF) && c.r < c.w {
		return protocol.ErrUnexpectedEnd
	}
	return err
}

// unanswered explains an error of read. to is empty, or " to " and a command.
func (c *Conn) unanswered(to string, err error) error {
	c.failed = true
	if errors.Is(err, protocol.ErrProtocol) { // says all
		return err
	}
	return fmt.Errorf("milter: no answer%s: %w", to, err)
}

// flush writes what has been gathered.
func (c *Conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		c.failed = true
		return fmt.Errorf("milter: command not sent: %w", err)
	}
	return nil
}
