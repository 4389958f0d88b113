package addr

import (
	"net"
	"net/netip"
	"testing"
)

// An address that was parsed is the same one after it was written and parsed
// again, in either notation, but for what a notation cannot say: the family of a
// name, and which of the addresses that stand for all was meant.
func FuzzParse(f *testing.F) {
	for _, spec := range []string{
		"inet:8890@127.0.0.1", "inet:8890", "inet6:8890@[fe80::1%eth0]", "inet6:8890@::", "inet:[::1]:25",
		"inet:mx:25", "inet::25", "inet:::ffff:1.2.3.4", "unix:/run/a:b", "local:x", "/run/m", "x", "fd:3", "fd:", "[",
		"inet:1@[::ffff:0.0.0.0]", "a@b:c",
	} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		network, address, err := Parse(spec)
		if err != nil {
			return
		}
		for _, write := range []func(string, string) string{Milter, Postfix} {
			written := write(network, address)
			network2, address2, err := Parse(written)
			if err != nil {
				t.Fatalf("Parse(%q) = %q, %q, written as %q: %v", spec, network, address, written, err)
			}
			if !same(network, address, network2, address2) {
				t.Errorf("Parse(%q) = %q, %q, written as %q = %q, %q", spec, network, address, written, network2, address2)
			}
			if again := write(network2, address2); again != written && !isAnywhere(host(address)) {
				t.Errorf("%q is written as %q, and that as %q", spec, written, again)
			}
		}
	})
}

func same(network, address, network2, address2 string) bool {
	a, b := host(address), host(address2)
	switch {
	case network == "unix" || network == "fd":
		return network == network2 && address == address2
	case isAnywhere(a):
		return true
	case isIP(a):
		return network == network2 && address == address2
	}
	return address == address2 && a == b
}

func host(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func isAnywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}
