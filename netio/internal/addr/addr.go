// Package addr reads and writes the addresses of milters as administrators know
// them: in milter notation, which Sendmail and most milters use, and in that of
// Postfix.
//
//	milter              Postfix             package net
//	inet:8890@192.0.2.1 inet:192.0.2.1:8890 tcp4  192.0.2.1:8890
//	inet:8890@mx        -                   tcp4  mx:8890
//	-                   inet:mx:8890        tcp   mx:8890
//	inet:8890           -                   tcp4  :8890
//	-                   inet::8890          tcp   :8890
//	inet6:8890@[::1]    inet:[::1]:8890     tcp6  [::1]:8890
//	inet6:8890          -                   tcp6  :8890
//	unix:/run/m.sock    unix:/run/m.sock    unix  /run/m.sock
//	fd:3                -                   fd    3
//
// In milter notation the prefix is a family: inet is IPv4 and nothing else, inet6
// is IPv6 and nothing else. To Postfix inet is TCP; there the host tells the
// family, and one without a family may have either.
package addr

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"millstream/protocol"
)

// networkFD is the network of an inherited descriptor, whose address is its
// number. Package net does not know it.
const networkFD = "fd"

// maxPath is the greatest length of a path, in bytes: a NUL follows it.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// Parse turns an address into a network and an address for package net: "tcp4",
// "tcp6" or "tcp" with host and port, "unix" with a path; or "fd" with the number
// of an inherited descriptor. "local:" is "unix:", and so is no prefix at all. The
// brackets around an IPv6 address may be left out behind an "@". A port may be the
// name of a service, and 0; in the result it is a number. Without a host it is
// every address of the machine. Names of hosts are not looked up, and paths are
// left as they are.
//
// The error is protocol.ErrInvalidArgument. It says what is wrong with which part,
// and how to write what may have been meant.
func Parse(spec string) (network, address string, err error) {
	if network, address, err = parse(spec); err != nil {
		return "", "", fmt.Errorf("%w: address %q: %w", protocol.ErrInvalidArgument, spec, err)
	}
	return network, address, nil
}

func parse(spec string) (network, address string, err error) {
	prefix, rest, found := strings.Cut(spec, ":")
	if !found || strings.Contains(prefix, "/") { // a path may have colons
		return parseBare(spec)
	}
	switch strings.ToLower(prefix) {
	case inet4, inet6:
		return parseInet(strings.ToLower(prefix), rest)
	case "unix", "local":
		return parsePath(rest)
	case networkFD:
		return parseFD(rest)
	}
	if strings.ContainsAny(prefix, ".[@") || prefix == "localhost" {
		for _, kind := range []string{inet4, inet6} {
			if _, _, err := parseInet(kind, spec); err == nil {
				return "", "", fmt.Errorf("its kind is missing; write %s:%s", kind, spec)
			}
		}
	}
	return "", "", fmt.Errorf("%q is no kind of address; write inet:, inet6:, unix: or fd: first", prefix)
}

// parseBare parses an address without a prefix: a path, unless it is plain that
// something else was meant.
func parseBare(spec string) (network, address string, err error) {
	if spec == "" {
		return "", "", errors.New("it is empty; write inet:8890@127.0.0.1 or unix:/path")
	}
	if isNumber(spec) {
		return "", "", fmt.Errorf("a port or a path? write inet:%[1]s for a port, unix:./%[1]s for a path", spec)
	}
	if port, host, found := strings.Cut(spec, "@"); found && isNumber(port) {
		return "", "", fmt.Errorf("its kind is missing; write inet:%s@%s", port, host)
	}
	if _, err := netip.ParseAddr(spec); err == nil {
		return "", "", fmt.Errorf("its kind and its port are missing; write inet:8890@%s", spec)
	}
	return parsePath(spec)
}

func parsePath(path string) (network, address string, err error) {
	switch {
	case path == "":
		return "", "", errors.New("the path is missing; write unix:/path")
	case strings.ContainsFunc(path, isControl):
		return "", "", errors.New("the path has a control byte in it")
	case strings.TrimSpace(path) != path:
		return "", "", errors.New("white space around the path")
	case len(path) > maxPath:
		return "", "", fmt.Errorf("the path has %d bytes; the system allows %d for a socket", len(path), maxPath)
	}
	return "unix", path, nil
}

func parseFD(number string) (network, address string, err error) {
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return "", "", fmt.Errorf("%q is no descriptor; write its number, as in fd:3", number)
	}
	return networkFD, strconv.FormatUint(n, 10), nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// isNumber reports whether s is decimal digits alone.
func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
