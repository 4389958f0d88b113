package addr

import (
	"errors"
	"net"
	"strings"
	"testing"

	"millstream/protocol"
)

func TestParse(t *testing.T) {
	tests := []struct{ spec, network, address string }{
		{"inet:8890@127.0.0.1", "tcp4", "127.0.0.1:8890"},
		{"inet:8890@[127.0.0.1]", "tcp4", "127.0.0.1:8890"},
		{"inet:8890@::ffff:127.0.0.1", "tcp4", "127.0.0.1:8890"},
		{"inet:8890@filter.example.org", "tcp4", "filter.example.org:8890"},
		{"inet:8890@0.0.0.0", "tcp4", "0.0.0.0:8890"},
		{"inet:8890@", "tcp4", ":8890"},
		{"inet:8890", "tcp4", ":8890"},
		{"INET:8890", "tcp4", ":8890"},
		{"inet:0", "tcp4", ":0"},
		{"inet:65535", "tcp4", ":65535"},
		{"inet:0025", "tcp4", ":25"},
		{"inet:smtp", "tcp4", ":25"},
		{"inet:smtp@mx_1", "tcp4", "mx_1:25"},

		{"inet6:8890@::1", "tcp6", "[::1]:8890"},
		{"inet6:8890@[::1]", "tcp6", "[::1]:8890"},
		{"inet6:8890@[2001:DB8:0::1]", "tcp6", "[2001:db8::1]:8890"},
		{"inet6:8890@[fe80::1%eth0]", "tcp6", "[fe80::1%eth0]:8890"},
		{"inet6:8890@fe80::1%2", "tcp6", "[fe80::1%2]:8890"},
		{"inet6:8890@localhost", "tcp6", "localhost:8890"},
		{"inet6:8890", "tcp6", ":8890"},
		{"inet6:localhost:8890", "tcp6", "localhost:8890"},
		{"inet6:[::]:8890", "tcp6", "[::]:8890"},

		{"inet:127.0.0.1:8890", "tcp4", "127.0.0.1:8890"},
		{"inet:[127.0.0.1]:8890", "tcp4", "127.0.0.1:8890"},
		{"inet:[::1]:8890", "tcp6", "[::1]:8890"},
		{"inet:localhost:8890", "tcp", "localhost:8890"},
		{"inet:[localhost]:smtp", "tcp", "localhost:25"},
		{"inet::8890", "tcp", ":8890"},

		{"unix:/run/millstream/milter.sock", "unix", "/run/millstream/milter.sock"},
		{"local:/run/milter.sock", "unix", "/run/milter.sock"},
		{"unix:private/milter", "unix", "private/milter"},
		{"unix:a@b:1", "unix", "a@b:1"},
		{"unix:./8890", "unix", "./8890"},
		{"unix:@milter", "unix", "@milter"},
		{"/run/milter.sock", "unix", "/run/milter.sock"},
		{"/run/a:b", "unix", "/run/a:b"},
		{"./inet:8890", "unix", "./inet:8890"},
		{"milter.sock", "unix", "milter.sock"},
		{"@milter", "unix", "@milter"},
		{"unix:/" + strings.Repeat("x", maxPath-1), "unix", "/" + strings.Repeat("x", maxPath-1)},

		{"fd:3", "fd", "3"},
		{"fd:03", "fd", "3"},
		{"fd:0", "fd", "0"},
	}
	for _, tt := range tests {
		network, address, err := Parse(tt.spec)
		if err != nil || network != tt.network || address != tt.address {
			t.Errorf("Parse(%q) = %q, %q, %v; want %q, %q", tt.spec, network, address, err, tt.network, tt.address)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ spec, text string }{
		{"", "empty; write inet:8890@127.0.0.1 or unix:/path"},
		{"8890", "a port or a path? write inet:8890 for a port, unix:./8890 for a path"},
		{"8890@localhost", "write inet:8890@localhost"},
		{"127.0.0.1", "write inet:8890@127.0.0.1"},
		{"127.0.0.1:8890", "kind is missing; write inet:127.0.0.1:8890"},
		{"localhost:8890", "write inet:localhost:8890"},
		{"[::1]:8890", "write inet:[::1]:8890"},
		{"8890@[::1]", "write inet6:8890@[::1]"},
		{"mx.example.org:port:1", `"mx.example.org" is no kind of address`},
		{"tcp:127.0.0.1:8890", `"tcp" is no kind of address; write inet:, inet6:, unix: or fd: first`},
		{"systemd:milter", `"systemd" is no kind of address`},
		{" inet:8890", `" inet" is no kind of address`},
		{":8890", `"" is no kind of address`},

		{"inet:", "the port is missing"},
		{"inet:@localhost", "the port is missing"},
		{"inet:localhost:", "the port is missing"},
		{"inet:65536", "port 65536 is too great"},
		{"inet:99999999999999999999", "too great"},
		{"inet:-1", `"-1" is no port`},
		{"inet:+1", `"+1" is no port`},
		{"inet: 1", `" 1" is no port`},
		{"inet:1 ", `"1 " is no port`},
		{"inet:no-such-service@localhost", `"no-such-service" is no port and no service`},
		{"inet:127.0.0.1", "if it is a host, write inet:8890@127.0.0.1"},
		{"inet:localhost", "if it is a host, write inet:8890@localhost"},
		{"inet:localhost@8890", "the wrong way round; write inet:8890@localhost"},
		{"inet:8890:localhost", "the wrong way round; write inet:8890@localhost"},
		{"inet:25@8890", `"8890" is neither a host nor an address`},
		{"inet:25@127.0.0.256", `"127.0.0.256" is neither a host nor an address`},
		{"inet:25@127.1", `"127.1" is neither a host nor an address`},
		{"inet:25@*", `"*" is neither a host nor an address`},
		{"inet:25@a@b", `"a@b" is neither a host nor an address`},
		{"inet:25@a b", `"a b" is neither a host nor an address`},
		{"inet:25@::g", `"::g" is neither a host nor an address`},
		{"inet6:25@fe80::1%a]b", "neither a host nor an address"},

		{"inet:8890@::1", "::1 is an IPv6 address, and inet is IPv4; write inet6:8890@[::1]"},
		{"inet6:8890@127.0.0.1", "127.0.0.1 is an IPv4 address, and inet6 is IPv6; write inet:8890@127.0.0.1"},
		{"inet6:8890@::ffff:127.0.0.1", "write inet:8890@127.0.0.1"},
		{"inet6:[127.0.0.1]:8890", "write inet:8890@127.0.0.1"},
		{"inet:::1:8890", "where ::1 ends and its port begins is not plain; write inet:[::1]:8890"},
		{"inet:::1", "too many colons"},
		{"inet:a:b:c", "too many colons"},
		{"inet:[::1]", "no port behind [::1]"},
		{"inet:[::1]8890", "no port behind [::1]8890"},
		{"inet:[::1", "no port behind [::1"},
		{"inet:[]:8890", "the brackets of []"},
		{"inet:8890@[::1", "the brackets of [::1"},
		{"inet:8890@::1]", "the brackets of ::1]"},
		{"inet:8890@[", "the brackets of ["},

		{"unix:", "the path is missing"},
		{"unix: /run/m.sock", "white space around the path"},
		{"/run/m.sock\n", "control byte"},
		{"unix:/run/\x00", "control byte"},
		{"unix:/" + strings.Repeat("x", maxPath), "the system allows"},
		{"fd:", `"" is no descriptor`},
		{"fd:-1", `"-1" is no descriptor`},
		{"fd:4294967296", "is no descriptor; write its number, as in fd:3"},
	}
	for _, tt := range tests {
		network, address, err := Parse(tt.spec)
		if !errors.Is(err, protocol.ErrInvalidArgument) || network != "" || address != "" {
			t.Errorf("Parse(%q) = %q, %q, %v; want %v", tt.spec, network, address, err, protocol.ErrInvalidArgument)
			continue
		}
		if !strings.Contains(err.Error(), tt.text) {
			t.Errorf("Parse(%q): %v\nwant %s", tt.spec, err, tt.text)
		}
	}
}

// What an error says to write is an address.
func TestParseAdvice(t *testing.T) {
	for _, spec := range []string{
		"8890", "8890@localhost", "127.0.0.1:8890", "[::1]:8890", "8890@[::1]", "inet:8890:localhost",
		"inet:localhost", "inet:8890@::1", "inet6:8890@127.0.0.1", "inet:::1:8890", "inet:2001:db8::1:25",
	} {
		_, _, err := Parse(spec)
		if err == nil {
			t.Errorf("Parse(%q) succeeded", spec)
			continue
		}
		_, advice, _ := strings.Cut(err.Error(), "write ")
		advice, _, _ = strings.Cut(advice, " ")
		if _, _, err := Parse(advice); err != nil {
			t.Errorf("Parse(%q) advises %s: %v", spec, advice, err)
		}
	}
}

func TestFormat(t *testing.T) {
	tests := []struct{ network, address, milter, postfix string }{
		{"tcp4", "127.0.0.1:8890", "inet:8890@127.0.0.1", "inet:127.0.0.1:8890"},
		{"tcp6", "[::1]:8890", "inet6:8890@[::1]", "inet:[::1]:8890"},
		{"tcp", "127.0.0.1:8890", "inet:8890@127.0.0.1", "inet:127.0.0.1:8890"},
		{"tcp", "[::1]:8890", "inet6:8890@[::1]", "inet:[::1]:8890"},
		{"tcp", "[::ffff:192.0.2.1]:25", "inet:25@192.0.2.1", "inet:192.0.2.1:25"},
		{"tcp6", "[fe80::1%eth0]:25", "inet6:25@[fe80::1%eth0]", "inet:[fe80::1%eth0]:25"},
		{"tcp", "mx:25", "inet:25@mx", "inet:mx:25"},
		{"tcp4", "mx:25", "inet:25@mx", "inet:mx:25"},
		{"tcp6", "mx:25", "inet6:25@mx", "inet:mx:25"},
		{"tcp", ":25", "inet:25", "inet:127.0.0.1:25"},
		{"tcp4", ":25", "inet:25", "inet:127.0.0.1:25"},
		{"tcp4", "0.0.0.0:25", "inet:25", "inet:127.0.0.1:25"},
		{"tcp6", ":25", "inet6:25", "inet:[::1]:25"},
		{"tcp", "[::]:25", "inet6:25", "inet:[::1]:25"},
		{"tcp6", "[::]:25", "inet6:25", "inet:[::1]:25"},
		{"unix", "/run/m.sock", "unix:/run/m.sock", "unix:/run/m.sock"},
		{"unix", "private/m", "unix:private/m", "unix:private/m"},
		{"fd", "3", "fd:3", "fd:3"},
		{"tcp", "no port", "tcp:no port", "tcp:no port"},
	}
	for _, tt := range tests {
		if got := Milter(tt.network, tt.address); got != tt.milter {
			t.Errorf("Milter(%q, %q) = %q, want %q", tt.network, tt.address, got, tt.milter)
		}
		if got := Postfix(tt.network, tt.address); got != tt.postfix {
			t.Errorf("Postfix(%q, %q) = %q, want %q", tt.network, tt.address, got, tt.postfix)
		}
	}
}

// What Parse returns is good for package net.
func TestParseListen(t *testing.T) {
	for _, spec := range []string{"inet:0@127.0.0.1", "inet:0", "inet:127.0.0.1:0", "unix:" + t.TempDir() + "/s"} {
		network, address, err := Parse(spec)
		if err != nil {
			t.Error(err)
			continue
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if again := Milter(l.Addr().Network(), l.Addr().String()); !strings.HasPrefix(again, spec[:4]) {
			t.Errorf("%s listens at %s", spec, again)
		}
		l.Close()
	}
}
