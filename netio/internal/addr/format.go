package addr

import (
	"net"
	"net/netip"
)

// Milter writes an address in milter notation, as for sendmail.mc: what [Parse]
// returned, or network and text of a net.Addr. An address that stands for every
// one of the machine is written without a host: there a milter listens at every
// address, and Sendmail connects to its own machine. A name of either family
// becomes one of inet.
func Milter(network, address string) string {
	host, port, ok := hostPort(network, address)
	if !ok {
		return network + ":" + address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil { // a name, or none
		return named(network, host, port)
	}
	if ip = ip.Unmap(); ip.IsUnspecified() {
		host = ""
	}
	return inetString(ip, host, port)
}

// named writes an address whose host does not tell its family.
func named(network, host, port string) string {
	prefix := inet4
	if network == "tcp6" {
		prefix = inet6
	}
	if host == "" {
		return prefix + ":" + port
	}
	return prefix + ":" + port + "@" + host
}

// inetString writes an address whose host is ip, or "" for any of its family.
func inetString(ip netip.Addr, host, port string) string {
	switch {
	case ip.Is4():
		return named("tcp4", host, port)
	case host == "":
		return named("tcp6", "", port)
	}
	return named("tcp6", "["+host+"]", port)
}

// Postfix writes an address as main.cf has it. Postfix connects to what stands
// there, so an address that stands for every one of the machine is written as its
// loopback address. A relative path is one in the queue directory of Postfix. What
// Postfix has no notation for, an inherited descriptor, is written as by [Milter].
func Postfix(network, address string) string {
	host, port, ok := hostPort(network, address)
	if !ok {
		return network + ":" + address
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Unmap().IsUnspecified() && ip.Is6() && !ip.Is4In6(), host == "" && network == "tcp6":
		host = "::1"
	case err == nil && ip.Unmap().IsUnspecified(), host == "":
		host = "127.0.0.1"
	}
	return inet4 + ":" + net.JoinHostPort(host, port)
}

// hostPort returns the parts of a TCP address; ok is false for any other.
func hostPort(network, address string) (host, port string, ok bool) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		host, port, err := net.SplitHostPort(address)
		return host, port, err == nil
	}
	return "", "", false
}
