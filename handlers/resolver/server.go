package resolver

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// penance is how long a server that was silent is asked after the others.
const penance = 30 * time.Second

// A server is one that is asked.
type server struct {
	addr  netip.AddrPort
	text  string       // of addr
	until atomic.Int64 // in Unix nanoseconds: it comes after the others until then
}

// silent notes that there was no answer.
func (s *server) silent() { s.until.Store(time.Now().Add(penance).UnixNano()) }

// answered notes that there was one.
func (s *server) answered() {
	if s.until.Load() != 0 {
		s.until.Store(0)
	}
}

// order returns the servers in the order in which they are to be asked: those that were
// silent last.
func (c *Client) order() []*server {
	now := time.Now().UnixNano()
	list := slices.Clone(c.servers)
	slices.SortStableFunc(list, func(a, b *server) int { return a.rank(now) - b.rank(now) })
	return list
}

func (s *server) rank(now int64) int {
	if s.until.Load() > now {
		return 1
	}
	return 0
}
