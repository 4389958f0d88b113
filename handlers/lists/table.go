package lists

import (
	"bytes"
	"net/netip"

	"github.com/gaissmai/bart"
)

// A table is a list in memory. It does not change. What it finds is the number of a
// value.
type table struct {
	kind     Kind
	networks *bart.Table[uint32]
	keys     index
	values   []string // each once; the first is that of entries without one
	entries  int      // without the repeated ones
	repeated int      // entries whose key was there before: they do not count
}

// find looks up a text.
func find[T text](t *table, key T) (number uint32, ok bool) {
	var room [2*maxKey + 1]byte
	switch {
	case t.kind == Domains:
		return t.findDomain(appendTail(room[:0], key))
	case t.kind == Addresses:
		return findAddress(t, room[:0], key)
	case len(key) > maxKey+1: // by more than a dot at its end
		return 0, false
	case t.kind == Names:
		name, _ := appendHost(room[:0], key)
		return t.keys.find(name)
	}
	addr, err := netip.ParseAddr(string(key))
	if err != nil {
		return 0, false
	}
	return t.findAddr(addr)
}

// findAddr looks up the smallest network that an IP address is in.
func (t *table) findAddr(addr netip.Addr) (number uint32, ok bool) {
	if t.networks == nil || !addr.IsValid() {
		return 0, false
	}
	return t.networks.Lookup(addr.Unmap().WithZone(""))
}

// findDomain looks up a domain and then those above it, the nearest first.
func (t *table) findDomain(name []byte) (number uint32, ok bool) {
	if number, ok = t.keys.find(name); ok || bytes.HasPrefix(name, []byte{'['}) {
		return number, ok
	}
	for {
		dot := bytes.IndexByte(name, '.')
		if dot < 0 {
			return 0, false
		}
		below := name[dot:]
		name = below[1:]
		if number, ok = t.keys.find(below); ok {
			return number, true
		}
		if number, ok = t.keys.find(name); ok {
			return number, true
		}
	}
}

// findAddress looks up a mail address, then @ and its domain, then its domain and those
// above, then its local part and @.
func findAddress[T text](t *table, room []byte, addr T) (number uint32, ok bool) {
	if len(addr) == 0 || string(addr) == nullSender {
		return t.keys.find([]byte(nullSender))
	}
	local, domain := addr, addr[:0]
	if at := lastAt(addr); at >= 0 {
		local, domain = addr[:at], addr[at+1:]
	}
	fits := len(local) <= maxKey
	if !fits {
		local = local[:0]
	}
	key := append(appendLocal(room, local), '@')
	at := len(key) - 1
	key = appendTail(key, domain)
	if fits {
		if number, ok = t.keys.find(key); ok {
			return number, true
		}
	}
	if number, ok = t.keys.find(key[at:]); ok {
		return number, true
	}
	if number, ok = t.findDomain(key[at+1:]); ok || !fits {
		return number, ok
	}
	return t.keys.find(key[:at+1])
}
