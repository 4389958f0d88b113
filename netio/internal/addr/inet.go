package addr

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The prefixes of addresses with a port.
const (
	inet4 = "inet"
	inet6 = "inet6"
)

// An endpoint is the two parts of an address with a port, as they were written.
type endpoint struct {
	host, port string
	hostFirst  bool // host:port, as Postfix writes it
}

// parseInet parses what follows inet: or inet6:.
func parseInet(prefix, rest string) (network, address string, err error) {
	e, err := split(prefix, rest)
	if err != nil {
		return "", "", err
	}
	port, err := parsePort(e.port)
	if err != nil {
		return "", "", explain(prefix, e, err)
	}
	host, ip, err := parseHost(e.host)
	if err != nil {
		return "", "", err
	}
	if network, err = networkOf(prefix, e.hostFirst, ip); err != nil {
		return "", "", fmt.Errorf("%w; write %s", err, inetString("", ip, host, port))
	}
	return network, net.JoinHostPort(host, port), nil
}

// split tells host and port apart: port@host, port, host:port or [host]:port.
func split(prefix, rest string) (endpoint, error) {
	if port, host, found := strings.Cut(rest, "@"); found {
		return endpoint{host: host, port: port}, nil
	}
	if strings.HasPrefix(rest, "[") {
		host, port, found := strings.Cut(rest, "]:")
		if !found {
			return endpoint{}, fmt.Errorf("no port behind %s; write it as in %s:[::1]:8890", rest, prefix)
		}
		return endpoint{host + "]", port, true}, nil
	}
	switch strings.Count(rest, ":") {
	case 0:
		return endpoint{port: rest}, nil
	case 1:
		host, port, _ := strings.Cut(rest, ":")
		return endpoint{host, port, true}, nil
	}
	i := strings.LastIndexByte(rest, ':')
	if _, err := netip.ParseAddr(rest[:i]); err == nil {
		return endpoint{}, fmt.Errorf("where %s ends and its port begins is not plain; write %s:[%s]:%s",
			rest[:i], prefix, rest[:i], rest[i+1:])
	}
	return endpoint{}, fmt.Errorf("%q has too many colons; write inet:8890@127.0.0.1 or inet6:8890@[::1]", rest)
}

// parsePort returns the number of a port, or of the port of a service.
func parsePort(port string) (number string, err error) {
	if port == "" {
		return "", errors.New("the port is missing; write inet:8890@127.0.0.1")
	}
	if isNumber(port) {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", fmt.Errorf("port %s is too great; ports end at 65535", port)
		}
		return strconv.FormatUint(n, 10), nil
	}
	if !isName(port) {
		return "", fmt.Errorf("%q is no port; write a number, as in inet:8890@127.0.0.1", port)
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return "", fmt.Errorf("%q is no port and no service that the system knows; write its number", port)
	}
	return strconv.Itoa(n), nil
}

// explain returns err, which says what is wrong with the port of e, or something
// that says better what was meant.
func explain(prefix string, e endpoint, err error) error {
	if _, hostErr := parsePort(e.host); hostErr == nil && isName(e.port) {
		return fmt.Errorf("host and port are the wrong way round; write %s:%s@%s", prefix, e.host, e.port)
	}
	if host, _, hostErr := parseHost(e.port); hostErr == nil && host != "" && e.host == "" {
		return fmt.Errorf("%w; or, if it is a host, write %s:8890@%s", err, prefix, host)
	}
	return err
}

// parseHost returns a host without its brackets, an address in its shortest form;
// and the address, if it is one.
func parseHost(host string) (string, netip.Addr, error) {
	if host == "" {
		return "", netip.Addr{}, nil
	}
	opens, closes := strings.HasPrefix(host, "["), strings.HasSuffix(host, "]")
	if opens != closes || len(host) == 2 && opens {
		return "", netip.Addr{}, fmt.Errorf("the brackets of %s do not stand around an address; write them as in [::1]", host)
	}
	if opens {
		host = host[1 : len(host)-1]
	}
	if ip, err := netip.ParseAddr(host); err == nil && !strings.ContainsFunc(ip.Zone(), isNotOfNames) {
		ip = ip.Unmap()
		return ip.String(), ip, nil
	}
	if !isName(host) {
		return "", netip.Addr{}, fmt.Errorf("%q is neither a host nor an address", host)
	}
	return host, netip.Addr{}, nil
}

// networkOf returns the network of an address with a port. ip is not valid where
// the host is a name or missing.
func networkOf(prefix string, hostFirst bool, ip netip.Addr) (string, error) {
	switch {
	case ip.Is4() && prefix == inet6:
		return "", fmt.Errorf("%v is an IPv4 address, and inet6 is IPv6", ip)
	case ip.Is6() && prefix == inet4 && !hostFirst:
		return "", fmt.Errorf("%v is an IPv6 address, and inet is IPv4", ip)
	case ip.Is6() || prefix == inet6:
		return "tcp6", nil
	case hostFirst && !ip.IsValid():
		return "tcp", nil
	}
	return "tcp4", nil
}

// isName reports whether s can be the name of a host or a service. Digits and dots
// alone are an address with a mistake in it.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") != "" && !strings.ContainsFunc(s, isNotOfNames)
}

func isNotOfNames(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '.', r == '_':
		return false
	}
	return true
}
