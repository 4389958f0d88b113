package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"millstream/handlers/store"
	"millstream/handlers/store/internal/local"
)

// A question is about a mark that is not known here. Somebody waits for the answer.
type question struct {
	id     local.ID
	create bool // make it if there is none
	mark   local.Mark
	ttl    int64
	answer chan answer // has room for one
	place  int         // of the first answer of Redis
}

// An answer is that of Redis, or none.
type answer struct {
	heard bool
	made  bool
	mark  store.Mark // zero if there is none
}

// maxQuestions is how many may wait to be asked, beside those that have been.
const maxQuestions = 1000

// ask returns what Redis says, or that it was not heard in time. It does not wait at
// all when Redis is away, when somebody else has just waited in vain, or when too many
// do.
func (s *Store) ask(ctx context.Context, q *question) answer {
	if !s.sharing() || s.late.Load() || !s.addQuestion(q) {
		return answer{}
	}
	signal(s.asked)
	timer := time.NewTimer(s.cfg.Timeout)
	defer timer.Stop()
	select {
	case a := <-q.answer:
		return a
	case <-timer.C:
		s.late.Store(true)
		signal(s.changed) // which ends it
	case <-ctx.Done():
	}
	return answer{}
}

// addQuestion adds a question, and reports whether there was room for it.
func (s *Store) addQuestion(q *question) bool {
	s.questionsMu.Lock()
	defer s.questionsMu.Unlock()
	if len(s.questions) >= maxQuestions {
		return false
	}
	s.questions = append(s.questions, q)
	return true
}

// takeQuestions returns the questions that nobody has answered yet.
func (s *Store) takeQuestions() []*question {
	s.questionsMu.Lock()
	defer s.questionsMu.Unlock()
	q := s.questions
	s.questions = nil
	return q
}

// refuse tells those who have no answer yet that there will be none.
func refuse(questions []*question) {
	for _, q := range questions {
		select {
		case q.answer <- answer{}:
		default:
		}
	}
}

// put adds a question to b.
func (s *Store) put(b *batch, q *question) {
	key := s.markKey(q.id)
	if !q.create {
		q.place = s.askMark(b, key)
		return
	}
	q.place = b.add(s.client.B().Set().Key(key).Value(formatMark(q.mark)).Nx().
		PxMilliseconds(milliseconds(0, q.ttl)).Build())
	s.askMark(b, key)
}

// hear answers a question.
func (s *Store) hear(b *batch, q *question, answers []rueidis.RedisResult) error {
	a, place := answer{heard: true}, q.place
	if q.create {
		a.made = answers[place].Error() == nil // it is null where there was one
		place++
	}
	m, ends, err := readMark(answers[place:], b.now)
	if err != nil {
		return err
	}
	switch {
	case ends > 0:
		s.adopt(q.id, m, ends, b.now)
		a.mark = m.Public(ends, false)
	case q.create: // it has ended already
		a.heard = false
	}
	q.answer <- a
	return nil
}
