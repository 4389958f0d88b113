package protocol

import (
	"encoding/binary"
	"net/netip"
)

// Connect announces an SMTP client.
type Connect struct {
	Host View // as looked up by the MTA; "[192.0.2.1]" if that failed
	Addr Addr // owned
}

// Code returns CodeConnect.
func (*Connect) Code() Code { return CodeConnect }

// Clone returns a copy that owns its bytes.
func (c *Connect) Clone() Command { return &Connect{c.Host.Clone(), c.Addr} }

// Append appends the packet of c to dst. The zero Addr is sent as unknown.
func (c *Connect) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeConnect)
	dst = appendString(dst, c.Host)
	switch c.Addr.Family {
	case FamilyInet, FamilyInet6:
		dst = append(dst, byte(c.Addr.Family))
		dst = binary.BigEndian.AppendUint16(dst, c.Addr.Port)
		dst = append(c.Addr.IP.AppendTo(dst), 0)
	case FamilyUnix:
		dst = append(dst, byte(FamilyUnix), 0, 0)
		dst = appendString(dst, c.Addr.Path)
	default:
		dst = append(dst, byte(FamilyUnknown))
	}
	return end(dst, start)
}

// decode sets c to the fields of b; it borrows the host.
func (c *Connect) decode(b View) error {
	host, rest, ok := cutString(b)
	if !ok {
		return fault(CodeConnect, "host", ErrMissingNull)
	}
	if len(rest) == 0 {
		return fault(CodeConnect, "family", ErrShortPacket)
	}
	*c = Connect{Host: host, Addr: Addr{Family: Family(rest[0])}}
	switch c.Addr.Family {
	case FamilyUnknown:
		return nil
	case FamilyInet, FamilyInet6, FamilyUnix:
		return c.Addr.decode(rest[1:])
	}
	return fault(CodeConnect, "family", ErrUnknownFamily)
}

// decode sets port, and address or path, from b.
func (a *Addr) decode(b View) error {
	if len(b) < 2 {
		return fault(CodeConnect, "port", ErrShortPacket)
	}
	port := binary.BigEndian.Uint16(b)
	text, _, ok := cutString(b[2:])
	if !ok {
		return fault(CodeConnect, "address", ErrMissingNull)
	}
	if a.Family == FamilyUnix {
		a.Path = text.String()
		return nil
	}
	// Postfix says so of a client that XCLIENT gave no address.
	if string(text) == "unknown" {
		a.Family = FamilyUnknown
		return nil
	}
	ip, ok := parseIP(a.Family, text)
	if !ok {
		return fault(CodeConnect, "address", ErrInvalidAddress)
	}
	a.IP, a.Port = ip, port
	return nil
}

// parseIP parses the text of an inet or inet6 address. Sendmail writes "IPv6:"
// before the latter.
func parseIP(f Family, text View) (netip.Addr, bool) {
	const prefix = "IPv6:"
	if f == FamilyInet6 && len(text) > len(prefix) && text[:len(prefix)].EqualFold(prefix) {
		text = text[len(prefix):]
	}
	ip, err := netip.ParseAddr(string(text))
	if err != nil || ip.Zone() != "" || ip.Is4() != (f == FamilyInet) {
		return netip.Addr{}, false
	}
	return ip, true
}
