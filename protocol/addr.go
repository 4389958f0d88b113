package protocol

import (
	"net/netip"
	"strconv"
)

// A Family is the kind of an address, as the byte of the wire.
type Family byte

// The families of addresses.
const (
	FamilyUnknown Family = 'U'
	FamilyInet    Family = '4'
	FamilyInet6   Family = '6'
	FamilyUnix    Family = 'L'
)

// String returns "unknown", "inet", "inet6" or "unix".
func (f Family) String() string {
	switch f {
	case FamilyInet:
		return "inet"
	case FamilyInet6:
		return "inet6"
	case FamilyUnix:
		return "unix"
	}
	return "unknown"
}

// An Addr is a network address of one of four families. The zero Addr is of no
// family: the address is not known yet.
type Addr struct {
	IP     netip.Addr // inet and inet6
	Path   string     // unix; empty for an unnamed peer
	Port   uint16     // inet and inet6; may be 0
	Family Family
}

// Network returns the name of the family; Addr is a net.Addr.
func (a Addr) Network() string { return a.Family.String() }

// String returns the address in milter notation, such as "inet:25@192.0.2.1".
// It is empty for the zero Addr.
func (a Addr) String() string {
	switch a.Family {
	case 0:
		return ""
	case FamilyInet, FamilyInet6:
		return a.Family.String() + ":" + strconv.Itoa(int(a.Port)) + "@" + a.IP.String()
	case FamilyUnix:
		return "unix:" + a.Path
	}
	return "unknown"
}
