package resolver

import (
	"errors"
	"time"

	"github.com/maypok86/otter/v2"
)

// unit is the size up to which an answer counts as one, in bytes.
const unit = 512

// newCache returns a cache with room for so many answers. It has no goroutine: what has
// expired is passed over, and goes when there is no room.
func newCache(room int) (*otter.Cache[question, *answer], error) {
	return otter.New(&otter.Options[question, *answer]{
		MaximumWeight: uint64(room),
		Weigher:       func(q question, a *answer) uint32 { return uint32(1 + (len(q.name)+a.size)/unit) },
		Executor:      func(f func()) { f() },
	})
}

// cached returns what is known of a question, or nil.
func (c *Client) cached(q question) *answer {
	if c.cache == nil {
		return nil
	}
	a, ok := c.cache.GetIfPresent(q)
	if !ok || !time.Now().Before(a.ends) {
		return nil
	}
	return a
}

// keep keeps an answer as long as it may be kept.
func (c *Client) keep(q question, a *answer) {
	ttl := min(a.ttl, c.cfg.MaxTTL)
	switch {
	case a.err == nil:
	case errors.Is(a.err, ErrNotFound):
		ttl = min(a.ttl, c.cfg.MaxNegative)
	default:
		ttl = c.cfg.FailureTTL
	}
	if c.cache == nil || ttl <= 0 {
		return
	}
	a.ends = time.Now().Add(ttl)
	c.cache.Set(q, a)
}
