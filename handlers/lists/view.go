package lists

import (
	"fmt"
	"net/netip"
)

// A View is a list whose values mean something to the one who looks it up. The methods
// may be called from any goroutine; they do not block, and with names in ASCII they do
// not allocate.
type View[V any] struct {
	list *List
	slot int
}

// As returns a view of l. value makes of the text behind an entry what it means, once
// for each text, whenever the list is read; it gets "" for entries without one. What it
// refuses is a mistake in the list. As is to be called before the set is opened.
func As[V any](l *List, value func(text string) (V, error)) *View[V] {
	if l.Ready() {
		panic(fmt.Errorf("list %q was read before somebody said what its values mean", l.spec.Name))
	}
	v := &View[V]{list: l, slot: len(l.meanings)}
	l.meanings = append(l.meanings, func(p *parser) any {
		values := make([]V, len(p.table.values))
		for i, text := range p.table.values {
			line := p.firstLine[i]
			if line == 0 {
				continue // no entry has it
			}
			var err error
			if values[i], err = value(text); err != nil && p.wrong(line, err) != nil {
				break
			}
		}
		return values
	})
	return v
}

// List returns the list of v.
func (v *View[V]) List() *List { return v.list }

// Lookup returns the value of the entry that fits key best; what that is, the package
// comment says. Before the set is opened nothing is found.
func (v *View[V]) Lookup(key string) (value V, ok bool) { return lookup(v, key) }

// LookupBytes is Lookup for a key that is borrowed, such as a View of an event.
func (v *View[V]) LookupBytes(key []byte) (value V, ok bool) { return lookup(v, key) }

// LookupAddr returns the value of the smallest network that addr is in. Lists of other
// kinds have no networks, and the zero address is in none.
func (v *View[V]) LookupAddr(addr netip.Addr) (value V, ok bool) {
	c := v.list.content.Load()
	if c == nil {
		return value, false
	}
	number, ok := c.table.findAddr(addr)
	return valueOf(v, c, number, ok)
}

func lookup[V any, T text](v *View[V], key T) (value V, ok bool) {
	c := v.list.content.Load()
	if c == nil {
		return value, false
	}
	number, ok := find(c.table, key)
	return valueOf(v, c, number, ok)
}

// valueOf returns what a number stands for.
func valueOf[V any](v *View[V], c *content, number uint32, ok bool) (value V, found bool) {
	if ok {
		value = c.meanings[v.slot].([]V)[number]
	}
	return value, ok
}
