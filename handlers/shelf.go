package handlers

import (
	"iter"
	"maps"
)

// A Shelf keeps values by name for one message. What is put there before the
// message begins is kept until the message ends, which is after its
// [Result] was told. A Shelf may be used from any goroutine.
type Shelf Session

// Get returns the value of key.
func (f *Shelf) Get(key string) (value any, ok bool) {
	c := f.c
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok = c.seldom().shelf[key]
	return value, ok
}

// Set sets the value of key.
func (f *Shelf) Set(key string, value any) {
	(*Session)(f).set(func(c *Control) {
		r := c.uncommon()
		if r.shelf == nil {
			r.shelf = make(map[string]any)
		}
		r.shelf[key] = value
	})
}

// Delete removes key.
func (f *Shelf) Delete(key string) {
	(*Session)(f).set(func(c *Control) { delete(c.seldom().shelf, key) })
}

// Map returns a copy of all keys and values.
func (f *Shelf) Map() map[string]any {
	c := f.c
	c.mu.Lock()
	defer c.mu.Unlock()
	shelf := c.seldom().shelf
	copied := make(map[string]any, len(shelf))
	maps.Copy(copied, shelf)
	return copied
}

// All yields all keys and values. It is a snapshot: the shelf may be changed
// meanwhile.
func (f *Shelf) All() iter.Seq2[string, any] { return maps.All(f.Map()) }

// Clear removes everything.
func (f *Shelf) Clear() {
	(*Session)(f).set(func(c *Control) { clear(c.seldom().shelf) })
}
