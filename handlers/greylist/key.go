package greylist

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"millstream/handlers/when"
	"millstream/protocol"
)

// The words of Settings.Key.
const (
	network         = "network"
	helo            = "helo"
	sender          = "sender"
	senderDomain    = "sender_domain"
	recipient       = "recipient"
	recipientDomain = "recipient_domain"
)

var words = []string{network, helo, sender, senderDomain, recipient, recipientDomain}

// space begins the keys of greylists in a store.
const space = "greylist "

// keys makes the keys under which a store has what a greylist knows.
type keys struct {
	parts      []string // the words, in the order of the table above, but network
	byNetwork  bool     // the network of the client is one of them
	byHelo     bool     // so is the name that it gave
	ipv4, ipv6 int      // how many bits of an address are its network
}

// newKeys returns what makes the keys of settings, which is of use without mistakes.
func newKeys(s *Settings, mistakes *when.Mistakes) keys {
	k := keys{
		byNetwork: slices.Contains(s.Key, network), byHelo: slices.Contains(s.Key, helo),
		ipv4: s.IPv4Bits, ipv6: s.IPv6Bits,
	}
	for i, word := range s.Key {
		if !slices.Contains(words, word) {
			mistakes.Add(fmt.Sprintf("key[%d]", i), fmt.Errorf("%q is none of %s", word, strings.Join(words, ", ")))
		}
	}
	for _, word := range words {
		if word != network && slices.Contains(s.Key, word) {
			k.parts = append(k.parts, word)
		}
	}
	if k.ipv4 < 1 || k.ipv4 > 32 {
		mistakes.Add("ipv4_bits", fmt.Errorf("an IPv4 network cannot have %d bits: write 1 to 32", k.ipv4))
	}
	if k.ipv6 < 1 || k.ipv6 > 128 {
		mistakes.Add("ipv6_bits", fmt.Errorf("an IPv6 network cannot have %d bits: write 1 to 128", k.ipv6))
	}
	return k
}

// A subject is what a key is made of.
type subject struct {
	client       netip.Addr
	helo, sender string
	rcpt         protocol.View
}

// A key is the names of the two marks of a subject.
type key struct {
	who     string // that of the client network
	triplet string // that of what has to come again
}

// make returns the key of a subject. Both names are parts of one string. No value has a
// zero byte in it, so none can be taken for another; letters are small.
func (k *keys) make(of subject) key {
	var buf [512]byte
	b := append(buf[:0], space...)
	b = k.network(of.client).AppendTo(b)
	who, from := len(b), 0
	if !k.byNetwork {
		b = append(b, space...)
		from = who
	}
	b = append(b, 0)
	for _, word := range k.parts {
		b = append(append(b, word...), '=')
		switch word {
		case helo:
			b = appendLower(b, of.helo)
		case sender:
			b = appendLower(b, of.sender)
		case senderDomain:
			b = appendLower(b, of.sender[strings.LastIndexByte(of.sender, '@')+1:])
		case recipient:
			b = appendLower(b, of.rcpt)
		case recipientDomain:
			b = appendLower(b, of.rcpt[bytes.LastIndexByte(of.rcpt, '@')+1:])
		}
		b = append(b, 0)
	}
	all := string(b)
	return key{who: all[:who], triplet: all[from:]}
}

// network returns the network of a client.
func (k *keys) network(addr netip.Addr) netip.Prefix {
	bits := k.ipv6
	if addr.Is4() {
		bits = k.ipv4
	}
	p, _ := addr.Prefix(bits) // it fails for no address of those that come here
	return p
}

// appendLower appends a text in small letters.
func appendLower[T string | protocol.View](b []byte, text T) []byte {
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}
