package mta

import (
	"context"
	"fmt"
	"net"
	"time"

	"millstream/netio/internal/addr"
	"millstream/protocol"
)

// A Conn is a connection to a milter. It is for one goroutine.
type Conn struct {
	conn   net.Conn
	in     []byte // received; what is not yet read is from r up to w
	r, w   int
	out    []byte // not yet written
	failed bool

	dialect  Dialect
	terms    Terms
	skipping bool    // no more of this body is wanted
	client   *Client // whom Greet told of
	verdict  Outcome // of Greet, if it is not to go on

	// What Deliver sends; not allocated each time.
	header protocol.Header
	chunk  protocol.Body
	end    protocol.EndOfMessage
}

// ParseAddress returns the network and the address, as for package net, of a milter
// to connect to. It may be written in milter notation, or in that of Postfix. The
// error is protocol.ErrInvalidArgument.
func ParseAddress(address string) (network, target string, err error) {
	network, target, err = addr.Parse(address)
	if err == nil && network == "fd" {
		err = fmt.Errorf("%w: address %q: an inherited socket is one to listen at", protocol.ErrInvalidArgument, address)
	}
	return network, target, err
}

// Dial connects to a milter. The error is that of [ParseAddress] or that of package
// net.
func Dial(ctx context.Context, address string) (*Conn, error) {
	network, target, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, target)
	if err != nil {
		return nil, fmt.Errorf("milter: no connection: %w", err)
	}
	return NewConn(conn), nil
}

// NewConn returns a Conn over c, which belongs to it from now on.
func NewConn(c net.Conn) *Conn { return &Conn{conn: c} }

// SetDeadline sets when reads and writes fail with os.ErrDeadlineExceeded. The
// zero time is never. Unlike the timer of an MTA it is not put off by progress.
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetDialect has the connection follow the habits of an MTA. It is Postfix if this
// is not called.
func (c *Conn) SetDialect(d Dialect) { c.dialect = d }

// Negotiate offers and returns what the milter asks for, and the macros it wants.
// The error is that of [Conclude], or that of [Conn.Do].
func (c *Conn) Negotiate(offer protocol.Options) (protocol.Options, protocol.MacroLists, error) {
	a, _, err := c.Do(&protocol.Negotiate{Offer: offer})
	var terms Terms
	if err == nil {
		terms, err = Conclude(offer, &a)
	}
	if err != nil {
		c.failed = true
		return protocol.Options{}, protocol.MacroLists{}, err
	}
	c.terms = terms
	return terms.Options, terms.Macros, nil
}

// Options returns what was agreed on; the zero Options before the negotiation.
func (c *Conn) Options() protocol.Options { return c.terms.Options }

// Sends reports whether a command is sent: whether the version that was agreed on
// has it, the milter wants it, and has not asked to be spared the rest of the body.
// Before the negotiation all is sent.
func (c *Conn) Sends(code protocol.Code) bool {
	return c.terms.Sends(code) && !(code == protocol.CodeBody && c.skipping)
}

// Waits reports whether a command that is sent is answered.
func (c *Conn) Waits(code protocol.Code) bool { return c.terms.Waits(code) }

// quitTime is how long Close waits for a milter that does not read.
const quitTime = time.Second

// Close says quit and closes. After an error it only closes.
func (c *Conn) Close() error {
	if !c.failed {
		c.failed = true
		c.conn.SetWriteDeadline(time.Now().Add(quitTime))
		c.conn.Write((&protocol.Quit{}).Append(c.out)) //nolint:errcheck // the milter may be gone already
	}
	return c.conn.Close()
}
