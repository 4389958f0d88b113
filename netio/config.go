package netio

import (
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"time"

	"millstream/actors"
	"millstream/netio/internal/addr"
	"millstream/protocol"
)

// Config sets how a server listens. Only Listen or Sockets must be set.
type Config struct {
	// Listen are the addresses, in milter notation: "inet:port@host",
	// "inet6:port@host", "unix:path", or "fd:n" for an inherited socket; or as
	// Postfix writes it, "inet:host:port". Without a host it is every address of
	// the machine. Port 0 is any free port.
	Listen []string

	// Sockets are more addresses, each with settings of its own.
	Sockets []Socket

	// Sessions sets how sessions behave.
	Sessions actors.Config

	// Loops is the number of event loops. Zero means one for each CPU.
	Loops int

	// ReusePort lets several processes listen on one TCP address.
	ReusePort bool

	// Backlog is how many connections the kernel keeps waiting. Zero means the
	// system's default.
	Backlog int

	// UnixMode and UnixGroup are given to Unix sockets. Zero means 0660 and the
	// group of the process. A stale socket is removed first, one in use is not.
	UnixMode  fs.FileMode
	UnixGroup string

	// MaxSessions is how many connections are open at most. Zero means no limit.
	MaxSessions int

	// CloseWhenFull closes connections over MaxSessions at once. Normally they
	// wait in the backlog.
	CloseWhenFull bool

	// Grace is how long sessions may go on after the context of Serve has ended,
	// until their MTAs leave. Zero means 30 s, negative none.
	Grace time.Duration
}

// A Socket is an address to listen on that differs from others.
type Socket struct {
	// Addr is the address, written as in Config.Listen.
	Addr string

	// UnixMode and UnixGroup are those of a Unix socket. Zero and "" are what the
	// Config says.
	UnixMode  fs.FileMode
	UnixGroup string

	// MaxSessions is how many connections of this address are open at most, beside
	// the limit that the Config sets to all. Zero means no limit.
	MaxSessions int
}

// complete returns c with its defaults filled in, or the name of the field that is
// wrong.
func (c Config) complete() (Config, error) {
	if len(c.Listen)+len(c.Sockets) == 0 {
		return c, fmt.Errorf("%w: Config.Listen is empty", protocol.ErrInvalidArgument)
	}
	for _, f := range []struct {
		name  string
		value int
	}{{"Loops", c.Loops}, {"Backlog", c.Backlog}, {"MaxSessions", c.MaxSessions}} {
		if f.value < 0 {
			return c, fmt.Errorf("%w: Config.%s is negative", protocol.ErrInvalidArgument, f.name)
		}
	}
	if c.UnixMode&^fs.ModePerm != 0 {
		return c, fmt.Errorf("%w: Config.UnixMode is %v", protocol.ErrInvalidArgument, c.UnixMode)
	}
	for _, s := range c.Sockets {
		if s.UnixMode&^fs.ModePerm != 0 || s.MaxSessions < 0 {
			return c, fmt.Errorf("%w: Socket %s has UnixMode %v and MaxSessions %d",
				protocol.ErrInvalidArgument, s.Addr, s.UnixMode, s.MaxSessions)
		}
	}
	if c.Loops == 0 {
		c.Loops = runtime.GOMAXPROCS(0)
	}
	if c.UnixMode == 0 {
		c.UnixMode = 0o660
	}
	switch {
	case c.Grace == 0:
		c.Grace = 30 * time.Second
	case c.Grace < 0:
		c.Grace = 0
	}
	return c, nil
}

// sockets returns all addresses, those of Listen first, with nothing left to the
// Config.
func (c Config) sockets() []Socket {
	all := make([]Socket, 0, len(c.Listen)+len(c.Sockets))
	for _, spec := range c.Listen {
		all = append(all, Socket{Addr: spec})
	}
	all = append(all, c.Sockets...)
	for i := range all {
		s := &all[i]
		if s.UnixMode == 0 {
			s.UnixMode = c.UnixMode
		}
		if s.UnixGroup == "" {
			s.UnixGroup = c.UnixGroup
		}
	}
	return all
}

// ParseAddr turns an address in milter notation, or in that of Postfix, into a
// network and an address for package net. "local:" is "unix:", and an address
// without a prefix is a Unix socket. An inherited socket has the network "fd".
func ParseAddr(spec string) (network, address string, err error) { return addr.Parse(spec) }

// MilterAddr writes an address of a server in milter notation, as for sendmail.mc.
func MilterAddr(a net.Addr) string { return addr.Milter(a.Network(), a.String()) }

// PostfixAddr writes an address of a server as main.cf has it.
func PostfixAddr(a net.Addr) string { return addr.Postfix(a.Network(), a.String()) }
