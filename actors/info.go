package actors

import (
	"net"
	"net/netip"
	"time"

	"millstream/protocol"
)

// Info describes a session that is alive.
type Info struct {
	ID       uint64
	Peer     protocol.Addr
	Listener string
	Since    time.Time
	State    protocol.State
	QueueID  string        // of the message under way; empty if there is none, or the MTA gave none
	Handler  string        // that is at work, if it has a name and telemetry is on
	Pending  time.Duration // how long an answer has been pending; 0 if none is
	Idle     time.Duration // how long the MTA has been silent; 0 while it waits
	Messages uint64        // ended so far
	In, Out  uint64        // bytes
}

// info describes the session to another goroutine.
func (s *session) info(now time.Time) Info {
	f := s.control.Facts()
	return Info{
		ID: s.id, Peer: f.Peer, Listener: f.Listener, Since: time.Unix(0, s.since), State: f.State,
		QueueID: s.control.Macro("i"), Handler: s.trail.handler(),
		Pending:  since(now, s.pending.Load()),
		Idle:     since(now, s.idle.Load()),
		Messages: s.messages.Load(),
		In:       s.inBytes.Load(),
		Out:      s.outBytes.Load(),
	}
}

// since returns how long ago a time in Unix nanoseconds is; 0 for 0.
func since(now time.Time, then int64) time.Duration {
	if then == 0 {
		return 0
	}
	return max(now.Sub(time.Unix(0, then)), 0)
}

// peerOf returns a network address in the form of the protocol.
func peerOf(a net.Addr) protocol.Addr {
	switch a := a.(type) {
	case protocol.Addr:
		return a
	case *net.TCPAddr:
		ip, ok := netip.AddrFromSlice(a.IP)
		switch ip = ip.Unmap(); {
		case !ok:
		case ip.Is4():
			return protocol.Addr{Family: protocol.FamilyInet, IP: ip, Port: uint16(a.Port)}
		default:
			return protocol.Addr{Family: protocol.FamilyInet6, IP: ip, Port: uint16(a.Port)}
		}
	case *net.UnixAddr:
		path := a.Name
		if path == "@" { // a peer without a name
			path = ""
		}
		return protocol.Addr{Family: protocol.FamilyUnix, Path: path}
	}
	return protocol.Addr{Family: protocol.FamilyUnknown}
}
