package dnsbl

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// A kind is what can be looked up.
type kind uint8

const (
	client kind = iota
	helo
	sender
	uri
	numKinds
)

// kinds has the kinds by their words.
var kinds = map[string]kind{"client": client, "helo": helo, "sender": sender, "uri": uri}

// A subject is something to look up.
type subject struct {
	kind kind
	text string // as people write it
}

// label returns what stands before the zone in the name that is looked up, or "" if that
// cannot be. registered has the registered domain of a name looked up.
func (s subject) label(registered bool) string {
	if s.kind == client {
		addr, _ := netip.ParseAddr(s.text)
		return reverse(addr)
	}
	if registered {
		base, _ := publicsuffix.EffectiveTLDPlusOne(s.text)
		return base
	}
	return s.text
}

// control returns what no list may have (RFC 5782, 5): what has it lists everything.
func (k kind) control() string {
	if k == client {
		return reverse(nobody)
	}
	return "invalid"
}

// reverse returns an address as lists have it: its bytes, or the half bytes of IPv6, in
// reverse.
func reverse(addr netip.Addr) string {
	var parts []string
	for _, b := range slices.Backward(addr.AsSlice()) {
		if addr.Is4() {
			parts = append(parts, strconv.Itoa(int(b)))
			continue
		}
		parts = append(parts, strconv.FormatUint(uint64(b&15), 16), strconv.FormatUint(uint64(b>>4), 16))
	}
	return strings.Join(parts, ".")
}

// shared are the addresses between providers and their customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate reports whether an address is of use in one network alone.
func isPrivate(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() || shared.Contains(addr)
}

// maxDomain is the length of a name, without a dot at its end.
const maxDomain = 253

// domain returns a name in the form in which it is looked up, or "" if it is none: of one
// label, an address, or not a domain at all.
func domain(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !isASCII(name) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return ""
		}
		name = ascii
	}
	labels := strings.Split(name, ".")
	if len(name) > maxDomain || len(labels) < 2 || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return ""
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.ContainsFunc(l, isNoLabel) {
			return ""
		}
	}
	return name
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// isNoLabel reports whether a rune cannot be in a name of a host, in lower case.
func isNoLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// domainOf returns the domain of a mailbox.
func domainOf(mailbox string) string { return domain(mailbox[strings.LastIndexByte(mailbox, '@')+1:]) }
