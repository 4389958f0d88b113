package lists

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxKey is how long a key may be in bytes: as long as an address, of which the local
// part has 64 and the domain 255 at most (RFC 5321).
const maxKey = 320

// text is what can be looked up.
type text interface{ ~string | ~[]byte }

// aLabels writes the labels of a domain in ASCII. Domains in mail have underscores.
var aLabels = idna.New(idna.MapForLookup(), idna.StrictDomainName(false))

// appendLower appends s in small ASCII letters.
func appendLower[T text](dst []byte, s T) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendHost appends the name of a host or domain as keys have it: in small letters
// and A-labels, without a dot at its end. A name that cannot be written so is appended
// as it is, and ok is false.
func appendHost[T text](dst []byte, name T) (key []byte, ok bool) {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			ascii, err := aLabels.ToASCII(string(name))
			if err != nil {
				return appendLower(dst, name), false
			}
			return append(dst, ascii...), true
		}
	}
	return appendLower(dst, name), true
}

// appendTail is appendHost for a domain of any length: of one that is longer than a key
// it appends the end from a dot on, which stands for all that is below.
func appendTail[T text](dst []byte, domain T) []byte {
	if len(domain) > maxKey {
		domain = domain[len(domain)-maxKey:]
		for len(domain) > 0 && domain[0] != '.' {
			domain = domain[1:]
		}
	}
	key, _ := appendHost(dst, domain)
	return key
}

// appendLocal appends the local part of an address as keys have it: in small letters,
// without a source route and without the quotes that do not change who is meant.
func appendLocal[T text](dst []byte, local T) []byte {
	if len(local) > 0 && local[0] == '@' {
		for i := range len(local) {
			if local[i] == ':' {
				local = local[i+1:]
				break
			}
		}
	}
	n := len(local)
	if n < 2 || local[0] != '"' || local[n-1] != '"' {
		return appendLower(dst, local)
	}
	for i := 1; i < n-1; i++ {
		if local[i] == '\\' && i+1 < n-1 {
			i++
		}
		dst = appendLower(dst, local[i:i+1])
	}
	return dst
}

// lastAt returns where the domain of an address begins: at the last at sign, or -1.
func lastAt[T text](addr T) int {
	for i := len(addr) - 1; i >= 0; i-- {
		if addr[i] == '@' {
			return i
		}
	}
	return -1
}

// network returns the network that an entry says.
func network(entry string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(entry); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q has a zone, which clients do not have: leave it out", entry)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(entry)
	if err != nil {
		return p, fmt.Errorf("%q is no network: write 192.0.2.0/24, 2001:db8::/32 or one address", entry)
	}
	if masked := p.Masked(); p != masked {
		return p, fmt.Errorf("%q is no network, since its first address is %v: write %v, or %v for this address alone",
			entry, masked.Addr(), masked, p.Addr())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, nil
}

// appendEntry appends the key that an entry of some kind other than Networks says.
func appendEntry(dst []byte, kind Kind, entry string) (key []byte, err error) {
	start := len(dst)
	switch {
	case kind == Names:
		key, _ = appendHost(dst, entry)
	case kind == Domains:
		key, err = appendDomain(dst, entry)
	case entry == nullSender:
		key = appendLower(dst, entry)
	default:
		key, err = appendAddress(dst, entry)
	}
	switch n := len(key) - start; {
	case err != nil:
		return dst, err
	case n == 0:
		return dst, fmt.Errorf("%q has nothing in it", entry)
	case n > maxKey:
		return dst, fmt.Errorf("%d bytes are too many for an entry: at most %d can be compared", n, maxKey)
	}
	return key, nil
}

// nullSender is the entry for messages that have no sender.
const nullSender = "<>"

// appendAddress appends the key of an address, or of a part of one.
func appendAddress(dst []byte, entry string) ([]byte, error) {
	at := lastAt(entry)
	if at < 0 {
		return appendDomain(dst, entry)
	}
	local, domain := entry[:at], entry[at+1:]
	dst = append(appendLocal(dst, local), '@')
	switch {
	case domain == "" && local == "":
		return dst, fmt.Errorf("%q is no address: write user@example.com, user@, @example.com, example.com or <>", entry)
	case domain == "":
		return dst, nil
	case domain[0] == '.':
		return dst, fmt.Errorf("%q is no address: write %s for all domains below", entry, domain)
	}
	return appendDomain(dst, domain)
}

// appendDomain appends the key of a domain, or with a dot in front of what is below it.
func appendDomain(dst []byte, entry string) ([]byte, error) {
	if strings.HasPrefix(entry, "[") && strings.HasSuffix(entry, "]") {
		return appendLower(dst, entry), nil // an address in place of a name
	}
	if strings.HasPrefix(entry, "*.") {
		return dst, fmt.Errorf("%q has a star in it: write %s for all domains below", entry, entry[1:])
	}
	name, below := strings.CutPrefix(entry, ".")
	if below {
		dst = append(dst, '.')
	}
	start := len(dst)
	dst, ok := appendHost(dst, name)
	if !ok || !isDomain(dst[start:]) {
		return dst, fmt.Errorf("%q is no domain: write letters, digits, `-` and `_`, with a dot between labels", entry)
	}
	return dst, nil
}

// isDomain reports whether a name in A-labels can be a domain. Underscores are taken.
func isDomain(name []byte) bool {
	for label := range bytes.SplitSeq(name, []byte{'.'}) {
		ok := len(label) > 0
		for _, c := range label {
			letter := 'a' <= c && c <= 'z'
			ok = ok && (letter || '0' <= c && c <= '9' || c == '-' || c == '_')
		}
		if !ok {
			return false
		}
	}
	return true
}
