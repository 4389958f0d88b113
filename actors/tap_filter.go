package actors

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"millstream/protocol"
)

// A TapFilter says which sessions a [Tap] is of. A session matches with its first
// message that has all that is asked for, and stays so; a list asks for any one of it,
// and an empty one for nothing. What the MTA is not asked to tell, because no handler
// needs it, cannot be matched. The zero TapFilter is every session.
type TapFilter struct {
	// Clients are the networks of SMTP clients.
	Clients []netip.Prefix

	// From and Recipients are patterns of the envelope: an address, "@" and a domain,
	// or either with "*" for any text and "?" for any one byte. Letter case does not
	// matter, nor do angle brackets; "<>" is the null sender.
	From, Recipients []string

	// QueueIDs are names that messages have with the MTA: the macro i.
	QueueIDs []string

	// Keep is how many bytes of a session are kept until it is known to match. Those
	// of its earlier messages go first. Zero means 1 MiB.
	Keep int

	// Room is how many bytes are kept in all: of sessions, and until they are read.
	// Zero means 32 MiB.
	Room int
}

// tapNeeds is a set of what a filter asks for.
type tapNeeds uint8

const (
	needClient tapNeeds = 1 << iota
	needFrom
	needRecipient
	needQueueID
	needOfMessage = needFrom | needRecipient | needQueueID
)

// tapFilter is a TapFilter whose patterns are ready to be compared.
type tapFilter struct {
	TapFilter
	needs tapNeeds
}

// compile checks f.
func (f TapFilter) compile() (c tapFilter, err error) {
	c = tapFilter{TapFilter: f}
	for _, p := range f.Clients {
		if !p.IsValid() {
			return c, fmt.Errorf("%w: TapFilter.Clients has no network in %v", protocol.ErrInvalidArgument, p)
		}
	}
	if f.Keep < 0 || f.Room < 0 {
		return c, fmt.Errorf("%w: TapFilter.Keep or TapFilter.Room is negative", protocol.ErrInvalidArgument)
	}
	if c.From, err = addressPatterns("From", f.From); err != nil {
		return c, err
	}
	if c.Recipients, err = addressPatterns("Recipients", f.Recipients); err != nil {
		return c, err
	}
	if slices.Contains(f.QueueIDs, "") {
		return c, fmt.Errorf("%w: TapFilter.QueueIDs has an empty one", protocol.ErrInvalidArgument)
	}
	for need, n := range map[tapNeeds]int{
		needClient: len(f.Clients), needFrom: len(f.From), needRecipient: len(f.Recipients), needQueueID: len(f.QueueIDs),
	} {
		if n > 0 {
			c.needs |= need
		}
	}
	return c, nil
}

// addressPatterns returns patterns as addresses are compared with them.
func addressPatterns(field string, patterns []string) ([]string, error) {
	list := make([]string, len(patterns))
	for i, p := range patterns {
		if p == "" {
			return nil, fmt.Errorf("%w: TapFilter.%s has an empty pattern; the null sender is <>", protocol.ErrInvalidArgument, field)
		}
		if strings.HasPrefix(p, "@") {
			p = "*" + p
		}
		list[i] = plainAddress(p)
	}
	return list, nil
}

// plainAddress returns an address as addresses are compared.
func plainAddress(addr string) string {
	if n := len(addr); n >= 2 && addr[0] == '<' && addr[n-1] == '>' {
		addr = addr[1 : n-1]
	}
	return strings.ToLower(addr)
}

// client reports whether an SMTP client is looked for.
func (f *tapFilter) client(a protocol.Addr) bool {
	return slices.ContainsFunc(f.Clients, func(p netip.Prefix) bool { return p.Contains(a.IP.Unmap()) })
}

// queueID reports whether macros tell of a message that is looked for.
func (f *tapFilter) queueID(m *protocol.Macro) bool {
	for name, value := range m.All() {
		if string(name) == "i" && slices.Contains(f.QueueIDs, value.String()) {
			return true
		}
	}
	return false
}

// anyPattern reports whether an address fits one of some patterns.
func anyPattern(patterns []string, addr protocol.View) bool {
	plain := plainAddress(addr.String())
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, plain) })
}

// fits reports whether a pattern with "*" and "?" is the whole of a text.
func fits(pattern, text string) bool {
	star, from := -1, 0 // the last star, and where what follows it is tried next
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
