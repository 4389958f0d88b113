package handlers

import (
	"iter"
	"maps"
)

// A Shelf keeps values by name for one message. What is put there before the
// message begins is kept until the message ends, which is after its
// [Result] was told. A Shelf may be used from any goroutine.
type Shelf struct{ s *Session }

// Get returns the value of key.
func (f *Shelf) Get(key string) (value any, ok bool) {
	c := f.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok = c.shelf[key]
	return value, ok
}

// Set sets the value of key.
func (f *Shelf) Set(key string, value any) {
	f.s.set(func(c *Control) {
		if c.shelf == nil {
			c.shelf = make(map[string]any)
		}
		c.shelf[key] = value
	})
}

// Delete removes key.
func (f *Shelf) Delete(key string) {
	f.s.set(func(c *Control) { delete(c.shelf, key) })
}

// Map returns a copy of all keys and values.
func (f *Shelf) Map() map[string]any {
	c := f.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := make(map[string]any, len(c.shelf))
	maps.Copy(copied, c.shelf)
	return copied
}

// All yields all keys and values. It is a snapshot: the shelf may be changed
// meanwhile.
func (f *Shelf) All() iter.Seq2[string, any] { return maps.All(f.Map()) }

// Clear removes everything.
func (f *Shelf) Clear() {
	f.s.set(func(c *Control) { clear(c.shelf) })
}
