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
	ip := parseIP(host)
	switch {
	case ip.IsUnspecified():
		host = ""
	case ip.IsValid():
		host = ip.String()
	}
	return inetString(network, ip, host, port)
}

// inetString writes a host and a port in milter notation. The family is that of
// ip, or else that of the network.
func inetString(network string, ip netip.Addr, host, port string) string {
	prefix := inet4
	if ip.Is6() || !ip.IsValid() && network == "tcp6" {
		prefix = inet6
	}
	switch {
	case host == "":
		return prefix + ":" + port
	case ip.Is6():
		host = "[" + host + "]"
	}
	return prefix + ":" + port + "@" + host
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
	ip := parseIP(host)
	switch {
	case ip.IsUnspecified() && ip.Is6(), host == "" && network == "tcp6":
		host = "::1"
	case ip.IsUnspecified(), host == "":
		host = "127.0.0.1"
	case ip.IsValid():
		host = ip.String()
	}
	return inet4 + ":" + net.JoinHostPort(host, port)
}

// parseIP returns the address that host is; not a valid one if it is a name or
// missing.
func parseIP(host string) netip.Addr {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap()
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
