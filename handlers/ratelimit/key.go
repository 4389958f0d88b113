package ratelimit

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// The words of Limit.Key.
const (
	authUser      = "auth_user"
	clientAddr    = "client_addr"
	clientNetwork = "client_network"
	sender        = "sender"
	senderDomain  = "sender_domain"
	rcpt          = "rcpt"
	rcptDomain    = "rcpt_domain"
)

// macroUser is the macro that tells who has logged in.
const macroUser = "auth_authen"

// words are the words of Limit.Key, and from when on what they mean is known.
var words = map[string]handlers.Kind{
	authUser:      handlers.KindEnvelopeFrom,
	clientAddr:    handlers.KindConnect,
	clientNetwork: handlers.KindConnect,
	sender:        handlers.KindEnvelopeFrom,
	senderDomain:  handlers.KindEnvelopeFrom,
	rcpt:          handlers.KindEnvelopeRecipient,
	rcptDomain:    handlers.KindEnvelopeRecipient,
}

// knownWords returns the words in order.
func knownWords() []string {
	list := make([]string, 0, len(words))
	for w := range words {
		list = append(list, w)
	}
	slices.Sort(list)
	return list
}

// A key says of whom is counted.
type key struct {
	prefix string // with the name of the limit
	parts  []part
	bits4  int // of networks
	bits6  int
}

// A part of a key is a word, or a text.
type part struct {
	word string
	text *when.Text
}

// nul stands between the parts of a key. No MTA can send it.
const nul = "\x00"

// newKey returns the key of a limit, which is of use without mistakes.
func newKey(l *Limit, names *when.Names, mistakes *when.Mistakes) *key {
	k := &key{
		prefix: strings.Join([]string{"ratelimit", l.Name, l.What, ""}, nul),
		bits4:  cmp.Or(l.IPv4Prefix, 24), bits6: cmp.Or(l.IPv6Prefix, 64),
	}
	for i, source := range l.Key {
		p := part{word: source}
		if _, known := words[source]; !known {
			var err error
			p.text, err = when.Template(source, names)
			mistakes.Add(fmt.Sprintf("key[%d]", i), err)
		}
		k.parts = append(k.parts, p)
	}
	return k
}

// known returns from when on a part is known.
func (p part) known() handlers.Kind {
	if p.text != nil {
		return p.text.Needs().Stage
	}
	return words[p.word]
}

// known returns from when on k is known, and whether it is about single recipients.
func (k *key) known() (stage handlers.Kind, single bool) {
	for _, p := range k.parts {
		stage = max(stage, p.known())
		single = single || p.known() == handlers.KindEnvelopeRecipient
	}
	return stage, single
}

// has reports whether one of some words is in k.
func (k *key) has(some ...string) bool {
	return slices.ContainsFunc(k.parts, func(p part) bool { return slices.Contains(some, p.word) })
}

// A question is what is known at an event.
type question struct {
	s            *handlers.Session
	message      *handlers.Message // at the end of it
	sender, rcpt protocol.View
}

// of returns the key of a question in the store, in small letters. It is empty if a part
// of it is: then there is nobody to count.
func (k *key) of(q *question) (string, error) {
	var space [192]byte
	b := append(space[:0], k.prefix...)
	for i, p := range k.parts {
		if i > 0 {
			b = append(b, nul...)
		}
		from := len(b)
		if p.text == nil {
			b = k.word(b, p.word, q)
		} else {
			text, err := p.text.Header(q.s)
			if err != nil {
				return "", err
			}
			b = append(b, text...)
		}
		if len(b) == from {
			return "", nil
		}
		b = small(b, from)
	}
	return string(b), nil
}

// word appends what a word means to b.
func (k *key) word(b []byte, word string, q *question) []byte {
	switch word {
	case authUser:
		return append(b, q.s.Macro(macroUser)...)
	case clientAddr, clientNetwork:
		_, addr := q.s.Client()
		return k.client(b, addr.IP, word == clientNetwork)
	case sender:
		return append(b, q.sender...)
	case senderDomain:
		return append(b, domain(q.sender)...)
	case rcpt:
		return append(b, q.rcpt...)
	}
	return append(b, domain(q.rcpt)...)
}

// client appends the address of a client, or its network.
func (k *key) client(b []byte, ip netip.Addr, network bool) []byte {
	ip = ip.Unmap().WithZone("")
	if !network || !ip.IsValid() {
		return ip.AppendTo(b)
	}
	bits := k.bits6
	if ip.Is4() {
		bits = k.bits4
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return b // more bits than there are: checked in the settings
	}
	return prefix.AppendTo(b)
}

// domain returns the domain of an address; empty if there is none.
func domain(addr protocol.View) protocol.View {
	at := bytes.LastIndexByte(addr, '@')
	if at < 0 {
		return nil
	}
	return addr[at+1:]
}

// small makes letters of b small, from a byte on.
func small(b []byte, from int) []byte {
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c >= 0x80:
			return append(b[:from], bytes.ToLower(b[from:])...)
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}
