package dnsbl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// loopback is the first byte of all answers of lists.
const loopback = 127

// A pattern says which answers count, byte by byte.
type pattern [4]octet

// An octet says what a byte may be: from least to most, or if there are bits one with at
// least one of them.
type octet struct{ least, most, bits byte }

func (o octet) fits(b byte) bool {
	if o.bits != 0 {
		return b&o.bits != 0
	}
	return o.least <= b && b <= o.most
}

// fits reports whether an answer is one that counts.
func (p *pattern) fits(addr [4]byte) bool {
	for i, o := range p {
		if !o.fits(addr[i]) {
			return false
		}
	}
	return true
}

// isOne reports whether p is just one address.
func (p *pattern) isOne(addr [4]byte) bool {
	for i, o := range p {
		if o != (octet{least: addr[i], most: addr[i]}) {
			return false
		}
	}
	return true
}

// parsePattern reads a pattern, such as 127.0.0.2-9 or 127.0.*.&6.
func parsePattern(s string) (p pattern, err error) {
	parts := strings.Split(s, ".")
	ok := len(parts) == len(p)
	for i := 0; ok && i < len(p); i++ {
		p[i], ok = parseOctet(parts[i])
	}
	switch {
	case !ok:
		return pattern{}, fmt.Errorf("%q matches no answers: write 127.0.0.2, 127.0.0.2-9, 127.0.*.3 or 127.0.0.&64", s)
	case p[0] != octet{least: loopback, most: loopback}:
		return pattern{}, fmt.Errorf("%q matches what no list answers: begin with 127", s)
	}
	return p, nil
}

func parseOctet(s string) (o octet, ok bool) {
	if s == "*" {
		return octet{most: 255}, true
	}
	if bits, isBits := strings.CutPrefix(s, "&"); isBits {
		o.bits, ok = parseByte(bits)
		return o, ok && o.bits != 0
	}
	least, most, isRange := strings.Cut(s, "-")
	if o.least, ok = parseByte(least); !ok {
		return o, false
	}
	if o.most = o.least; isRange {
		o.most, ok = parseByte(most)
	}
	return o, ok && o.least <= o.most
}

func parseByte(s string) (byte, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return byte(n), err == nil && strconv.FormatUint(n, 10) == s
}

// Answers with which lists say that they do not answer.
var (
	refusals = netip.MustParsePrefix("127.255.255.0/24")
	nobody   = netip.MustParseAddr("127.0.0.1")
)
