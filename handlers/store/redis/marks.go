package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"millstream/handlers/store"
	"millstream/handlers/store/internal/local"
)

// A mark is the copy of one in Redis, or one that Redis does not know yet.
type mark struct {
	local.Mark
	asked  int64 // when Redis last told of it
	era    int64 // in which it did; see Store.era
	news   news
	queued bool
}

// news is what Redis has to be told of a mark. The greater outdoes the lesser.
type news uint8

const (
	newsNone   news = iota // Redis is only asked
	newsLonger             // it lasts longer
	newsMade               // it was made, if there is none
	newsSet                // it is so, whatever there is
)

// SetNX implements store.Marks.
func (s *Store) SetNX(ctx context.Context, key string, value int64, ttl time.Duration) (store.Mark, bool) {
	id := local.MarkID(key)
	if m, ok := s.known(id); ok {
		return m, false
	}
	q := &question{
		id: id, create: true, mark: local.NewMark(time.Now().UnixNano(), value), ttl: int64(local.Clamp(ttl)),
		answer: make(chan answer, 1),
	}
	if a := s.ask(ctx, q); a.heard {
		return a.mark, a.made
	}
	return s.create(q)
}

// Get implements store.Marks.
func (s *Store) Get(ctx context.Context, key string) (store.Mark, bool) {
	id := local.MarkID(key)
	if m, ok := s.known(id); ok {
		return m, true
	}
	if a := s.ask(ctx, &question{id: id, answer: make(chan answer, 1)}); a.heard {
		return a.mark, !a.mark.First.IsZero()
	}
	return s.known(id)
}

// Set implements store.Marks.
func (s *Store) Set(_ context.Context, key string, value int64, ttl time.Duration) {
	now, id := time.Now().UnixNano(), local.MarkID(key)
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	e, known := shard.Put(id, now, now+int64(local.Clamp(ttl)))
	if !known {
		e.Value = mark{Mark: local.NewMark(now, value)}
	}
	e.Value.Value = value
	s.tell(&e.Value, id, newsSet)
}

// Touch implements store.Marks.
func (s *Store) Touch(_ context.Context, key string, ttl time.Duration) {
	now, id := time.Now().UnixNano(), local.MarkID(key)
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	if e := shard.Find(id, now); e != nil {
		e, _ = shard.Put(id, now, max(e.Ends, now+int64(local.Clamp(ttl))))
		s.tell(&e.Value, id, newsLonger)
	}
}

// MayWait implements store.Marks.
func (s *Store) MayWait() bool { return true }

// known returns a mark that there is a copy of. Where the copy is old, or not
// confirmed, Redis is asked in the background.
func (s *Store) known(id local.ID) (store.Mark, bool) {
	now := time.Now().UnixNano()
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	e := shard.Find(id, now)
	if e == nil {
		return store.Mark{}, false
	}
	confirmed := s.confirmed(e.Value.era)
	if !confirmed || now-e.Value.asked > int64(s.cfg.Refresh) {
		s.tell(&e.Value, id, newsNone)
	}
	return e.Value.Public(e.Ends, !confirmed), true
}

// create makes the mark of a question that nobody has answered, unless there is one by
// now.
func (s *Store) create(q *question) (store.Mark, bool) {
	now := time.Now().UnixNano()
	shard := s.marks.Lock(q.id)
	defer shard.Unlock()
	if e := shard.Find(q.id, now); e != nil {
		return e.Value.Public(e.Ends, !s.confirmed(e.Value.era)), false
	}
	e, _ := shard.Put(q.id, now, now+q.ttl)
	e.Value = mark{Mark: q.mark}
	s.tell(&e.Value, q.id, newsMade)
	return e.Value.Public(e.Ends, true), true
}

// tell has Redis told of a mark, in the background. The shard of the mark is locked.
func (s *Store) tell(m *mark, id local.ID, n news) {
	m.news = max(m.news, n)
	if !m.queued && s.dirtyMarks.add(id) {
		m.queued = true
		signal(s.changed)
	}
}

// toldMark is a mark as Redis is told of it.
type toldMark struct {
	id     local.ID
	mark   mark
	ends   int64
	answer int // the place of the answers to GET and PTTL; zero if it is not asked
}

// tellMark adds what there is to tell and to ask about a mark to b.
func (s *Store) tellMark(b *batch, id local.ID) {
	shard := s.marks.Lock(id)
	e := shard.Find(id, b.now)
	if e == nil {
		shard.Unlock()
		return
	}
	t := toldMark{id: id, mark: e.Value, ends: e.Ends}
	e.Value.queued, e.Value.news = false, newsNone
	shard.Unlock()

	key, text, ms := s.markKey(id), formatMark(t.mark.Mark), milliseconds(b.now, t.ends)
	switch t.mark.news {
	case newsSet:
		b.add(s.client.B().Set().Key(key).Value(text).PxMilliseconds(ms).Build())
	case newsLonger:
		b.add(s.client.B().Pexpire().Key(key).Milliseconds(ms).Build())
		b.add(s.client.B().Set().Key(key).Value(text).Nx().PxMilliseconds(ms).Build()) // if Redis has lost it
	default: // it is told of what nobody has asked for; what it has lost it is given back
		b.add(s.client.B().Set().Key(key).Value(text).Nx().PxMilliseconds(ms).Build())
		t.answer = s.askMark(b, key)
	}
	b.marks = append(b.marks, t)
}

// askMark adds the question for a mark to b.
func (s *Store) askMark(b *batch, key string) (place int) {
	place = b.add(s.client.B().Get().Key(key).Build())
	b.add(s.client.B().Pttl().Key(key).Build())
	return place
}

// hearMark takes the answers about a mark.
func (s *Store) hearMark(b *batch, t *toldMark, answers []rueidis.RedisResult) error {
	m, ends := t.mark.Mark, t.ends
	if t.answer > 0 {
		var err error
		if m, ends, err = readMark(answers[t.answer:], b.now); err != nil || ends == 0 {
			return err
		}
	}
	s.adopt(t.id, m, ends, b.now)
	return nil
}

// adopt keeps a copy of a mark of Redis, unless something is to be told of it that
// Redis does not know yet.
func (s *Store) adopt(id local.ID, m local.Mark, ends, now int64) {
	shard := s.marks.Lock(id)
	defer shard.Unlock()
	if e := shard.Find(id, now); e != nil && (e.Value.news == newsSet || e.Value.news == newsLonger) {
		return
	}
	e, _ := shard.Put(id, now, ends)
	e.Value.Mark, e.Value.asked, e.Value.era, e.Value.news = m, now, s.answered(), newsNone
}

// keepMark keeps what Redis has not heard to be told again.
func (s *Store) keepMark(t *toldMark) {
	shard := s.marks.Lock(t.id)
	defer shard.Unlock()
	if e := shard.Find(t.id, time.Now().UnixNano()); e != nil {
		s.tell(&e.Value, t.id, t.mark.news)
	}
}
