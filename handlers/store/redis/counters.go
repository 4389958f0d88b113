package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"millstream/handlers/store"
	"millstream/handlers/store/internal/local"
)

// A counter is what this machine has counted, and what it knows of others.
type counter struct {
	own, others local.Counter
	era         int64 // in which Redis told of others in the present window; see Store.era
	sliding     bool  // the window before is asked for
	queued      bool
	untold      bool // what is counted now is not yet told
	untoldPast  bool // nor what was counted in the window before, as an answer has shown
}

// roll moves c to a window.
func (c *counter) roll(window int64) {
	c.others.Roll(window)
	if c.own.Roll(window) {
		c.untold, c.untoldPast, c.era = false, false, never
	}
}

// Incr implements store.Counters.
func (s *Store) Incr(ctx context.Context, key string, n int64, w store.Window) store.Total {
	total, _ := s.Take(ctx, key, n, local.NoLimit, w)
	return total
}

// Take implements store.Counters. It decides from what is known here.
func (s *Store) Take(_ context.Context, key string, n, limit int64, w store.Window) (store.Total, bool) {
	m, id := local.MomentOf(time.Now(), w), local.CounterID(key, w.Length)
	shard := s.counters.Lock(id)
	defer shard.Unlock()
	e, _ := shard.Put(id, m.Now, local.Ends(m.Window, m.Length))
	c := &e.Value
	c.roll(m.Window)
	before := c.own.Now
	total, ok := m.Count(&c.own, c.others, n, limit)
	total.Local = !s.confirmed(c.era)
	c.untold = c.untold || c.own.Now != before
	c.sliding = c.sliding || w.Sliding
	if !c.queued && s.dirtyCounters.add(id) {
		c.queued = true
		signal(s.changed)
	}
	return total, ok
}

// toldCounter is a counter as Redis is told of it. A machine tells how much it has
// counted in all, not how much more: to tell it twice, or anew after Redis has lost
// it, does no harm.
type toldCounter struct {
	id                 local.ID
	counter            counter
	answer, answerPast int // their places among the answers; the second is zero if it is not asked for
}

// tellCounter adds what there is to tell and to ask about a counter to b.
func (s *Store) tellCounter(b *batch, id local.ID) {
	shard := s.counters.Lock(id)
	e := shard.Find(id, b.now)
	if e == nil {
		shard.Unlock()
		return
	}
	e.Value.roll(b.now / id.Length)
	t := toldCounter{id: id, counter: e.Value}
	e.Value.queued, e.Value.untold, e.Value.untoldPast = false, false, false
	shard.Unlock()

	own := t.counter.own
	key, past := s.counterKey(id, own.Window), s.counterKey(id, own.Window-1)
	if t.counter.untoldPast {
		s.tellCount(b, past, own.Before, local.Ends(own.Window-1, id.Length))
	}
	if t.counter.untold {
		s.tellCount(b, key, own.Now, local.Ends(own.Window, id.Length))
	}
	t.answer = b.add(s.client.B().Hgetall().Key(key).Build())
	if t.counter.sliding {
		t.answerPast = b.add(s.client.B().Hgetall().Key(past).Build())
	}
	b.counters = append(b.counters, t)
}

// tellCount adds to b what this machine has counted in a window.
func (s *Store) tellCount(b *batch, key string, n, ends int64) {
	b.add(s.client.B().Hset().Key(key).FieldValue().FieldValue(s.node, strconv.FormatInt(n, 10)).Build())
	b.add(s.client.B().Pexpire().Key(key).Milliseconds(milliseconds(b.now, ends)).Build())
}

// hearCounter takes the answers about a counter.
func (s *Store) hearCounter(b *batch, t *toldCounter, answers []rueidis.RedisResult) error {
	others, own, err := readCounts(answers[t.answer], s.node)
	if err != nil {
		return err
	}
	var past, ownPast int64
	if t.answerPast > 0 {
		if past, ownPast, err = readCounts(answers[t.answerPast], s.node); err != nil {
			return err
		}
	}
	shard := s.counters.Lock(t.id)
	defer shard.Unlock()
	e := shard.Find(t.id, b.now)
	if e == nil || e.Value.own.Window != t.counter.own.Window {
		return nil
	}
	c := &e.Value
	c.era, c.others.Now = s.answered(), others
	lost := own != t.counter.own.Now
	if t.answerPast > 0 {
		c.others.Before = past
		if ownPast != t.counter.own.Before {
			lost, c.untoldPast = true, true
		}
	}
	if lost && !c.queued {
		c.untold = true
		c.queued = s.dirtyCounters.add(t.id)
	}
	return nil
}

// keepCounter keeps what Redis has not heard to be told again.
func (s *Store) keepCounter(t *toldCounter) {
	shard := s.counters.Lock(t.id)
	defer shard.Unlock()
	now := time.Now().UnixNano()
	e := shard.Find(t.id, now)
	if e == nil {
		return
	}
	c := &e.Value
	if c.own.Window == t.counter.own.Window {
		c.untold = c.untold || t.counter.untold
		c.untoldPast = c.untoldPast || t.counter.untoldPast
	}
	if !c.queued {
		c.queued = s.dirtyCounters.add(t.id)
	}
}
