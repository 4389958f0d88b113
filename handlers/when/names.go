package when

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"millstream/handlers"
)

// Names are the things that a configuration has given a name, for expressions to
// use. The zero Names has none. It is read while expressions are compiled, and may be
// changed after that: a program keeps the networks and lists that it was compiled with,
// and asks them each time.
type Names struct {
	// Networks are what in_network tells of.
	Networks map[string]Network

	// Lists are what in_list tells of.
	Lists map[string]List

	// Results are the handlers that result tells of, each with the event from which on
	// it has something to tell: the first that it answers. See [Record].
	Results map[string]handlers.Kind

	// Location is that of hour and weekday. Nil means the time zone of the server.
	Location *time.Location

	// Open has names that are not here taken for things that will be: a network or a list
	// without anything in it, a handler that tells its result at any time. It is for a look
	// at expressions before all has its name.
	Open bool
}

// A Network is a set of addresses, such as a list of package lists. Sessions ask it on
// event loops, all at once: it must not block.
type Network interface {
	// HasAddr reports whether an address is in it. The zero address is in none.
	HasAddr(addr netip.Addr) bool
}

// A List is a set of texts, such as a list of package lists. Sessions ask it on event
// loops, all at once: it must not block.
type List interface {
	// Has reports whether a text is in it.
	Has(text string) bool
}

// network is a set of addresses.
type network struct {
	prefixes map[netip.Prefix]struct{}
	bits     []int // how long prefixes are
}

// Prefixes returns a network of what is in any of the prefixes. Those of IPv4 within
// IPv6 are those of IPv4.
func Prefixes(prefixes ...netip.Prefix) Network {
	n := &network{prefixes: make(map[netip.Prefix]struct{}, len(prefixes))}
	for _, p := range prefixes {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		n.prefixes[p.Masked()] = struct{}{}
		if !slices.Contains(n.bits, p.Bits()) {
			n.bits = append(n.bits, p.Bits())
		}
	}
	return n
}

// HasAddr is [Network].
func (n *network) HasAddr(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	a = a.Unmap()
	for _, bits := range n.bits {
		if bits > a.BitLen() { // of the other family: asking would make an error
			continue
		}
		p, _ := a.Prefix(bits)
		if _, ok := n.prefixes[p]; ok {
			return true
		}
	}
	return false
}

// Network returns the network that a word stands for, in an expression or in a setting of
// a filter: the one of that name, or a network or an address that is written out. The
// error says how to mend it. n may be nil.
func (n *Names) Network(word string) (Network, error) {
	if n == nil {
		n = new(Names)
	}
	if named, ok := n.Networks[word]; ok {
		return named, nil
	}
	if p, ok := parsePrefix(word); ok {
		return Prefixes(p), nil
	}
	if n.Open {
		return Prefixes(), nil
	}
	return nil, fmt.Errorf("%q is no network such as 192.0.2.0/24, and none is called so: %s", word, among(word, keys(n.Networks)))
}

// AnyNetwork returns a network of all that words stand for, as [Names.Network] has it.
// It tells wrong of those that stand for none. n may be nil.
func (n *Names) AnyNetwork(words []string, wrong func(i int, err error)) Network {
	var written []netip.Prefix
	var all union
	for i, word := range words {
		one, err := n.Network(word)
		if err != nil {
			wrong(i, err)
			continue
		}
		if set, ok := one.(*network); ok { // to ask one set is enough
			written = slices.AppendSeq(written, maps.Keys(set.prefixes))
		} else {
			all = append(all, one)
		}
	}
	return append(all, Prefixes(written...))
}

// union is what is in any of some networks.
type union []Network

// HasAddr is [Network].
func (u union) HasAddr(a netip.Addr) bool {
	return slices.ContainsFunc(u, func(n Network) bool { return n.HasAddr(a) })
}

// parsePrefix parses a network, or one address.
func parsePrefix(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// list is a set of words, in small letters.
type list map[string]struct{}

// Words returns a list of words. Letter case does not matter.
func Words(words ...string) List {
	l := make(list, len(words))
	for _, w := range words {
		l[strings.ToLower(w)] = struct{}{}
	}
	return l
}

// Has is [List].
func (l list) Has(word string) bool {
	_, ok := l[strings.ToLower(word)]
	return ok
}

// keys returns the names of a map, in order.
func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
