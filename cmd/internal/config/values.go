package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// masked is what is printed in place of a secret.
const masked = "***"

// A Secret is a password or a token. It is printed as ***, in whatever way. In a file
// it is written as it is, as a ${VARIABLE}, or as "file:/path", which is the content of
// that file without the line feed at its end; a relative path counts from the file of
// the configuration. A file that everybody can write is refused.
type Secret string

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

// String returns *** for a secret, "" for none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// Format is [fmt.Formatter]: no verb prints a secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is [encoding.TextMarshaler]. It returns what String does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Size is a number of bytes, written with its unit: 512B, 64KiB, 8MiB, 1GiB.
type Size int64

// The units of sizes, the greatest first.
var units = [...]struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText is [encoding.TextUnmarshaler].
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		digits, found := strings.CutSuffix(string(text), u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil || n > uint64(math.MaxInt64/u.bytes) {
			break
		}
		*s = Size(int64(n) * u.bytes)
		return nil
	}
	return errors.New("is no size: write bytes with a unit, such as 512B, 64KiB, 8MiB")
}

// String returns the size in the greatest unit in which it is a whole number.
func (s Size) String() string {
	for _, u := range units {
		if n := int64(s); n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText is [encoding.TextMarshaler].
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Mode is the access mode of a Unix socket, written in octal: "0660".
type Mode fs.FileMode

// UnmarshalText is [encoding.TextUnmarshaler].
func (m *Mode) UnmarshalText(text []byte) error {
	mode, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || fs.FileMode(mode)&^fs.ModePerm != 0 {
		return errors.New("is no access mode: write it in octal, such as 0660")
	}
	*m = Mode(mode)
	return nil
}

// String returns the mode in octal.
func (m Mode) String() string { return fmt.Sprintf("%04o", uint32(m)) }

// MarshalText is [encoding.TextMarshaler].
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// A Network is a network of addresses, written as 192.0.2.0/24 or 2001:db8::/32, or one
// address.
type Network netip.Prefix

// Networks are networks by their names.
type Networks map[string]NetworkList

// Lists are lists of names, domains and addresses by their names.
type Lists map[string]WordList

// UnmarshalText is [encoding.TextUnmarshaler].
func (n *Network) UnmarshalText(text []byte) error {
	addr, err := netip.ParseAddr(string(text))
	prefix := netip.PrefixFrom(addr, addr.BitLen())
	if err != nil || addr.Zone() != "" {
		prefix, err = netip.ParsePrefix(string(text))
	}
	if err != nil {
		return errors.New("is no network: write one such as 192.0.2.0/24 or 2001:db8::/32, or an address")
	}
	*n = Network(prefix)
	return nil
}

// String returns the network with the number of its bits.
func (n Network) String() string { return netip.Prefix(n).String() }

// MarshalText is [encoding.TextMarshaler].
func (n Network) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// Prefixes returns networks as package netip has them.
func Prefixes(list []Network) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(list))
	for i, n := range list {
		prefixes[i] = netip.Prefix(n)
	}
	return prefixes
}
