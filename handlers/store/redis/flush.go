package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"
	"github.com/sony/gobreaker/v2"
)

// atOnce is how many counters, and how many marks, are told in one go: so few that even
// a slow Redis has done with them before the time-out.
const atOnce = 250

// A batch is what goes to Redis at once.
type batch struct {
	now      int64
	commands []rueidis.Completed
	counters []toldCounter
	marks    []toldMark
	asked    []*question
}

// add adds a command and returns its place among the answers.
func (b *batch) add(c rueidis.Completed) int {
	b.commands = append(b.commands, c)
	return len(b.commands) - 1
}

// run talks to Redis until the store is closed.
func (s *Store) run() {
	defer close(s.done)
	timer := time.NewTimer(0) // to connect
	defer timer.Stop()
	for waiting := true; ; {
		select {
		case <-s.life.Done():
			s.finish()
			return
		case <-s.changed:
			if !waiting {
				waiting = true
				timer.Reset(s.cfg.Flush)
			}
			continue
		case <-s.asked:
			if !s.sharing() {
				refuse(s.takeQuestions())
				continue
			}
		case <-timer.C:
		}
		s.flush()
		switch {
		case !s.sharing():
			waiting = true
			timer.Reset(s.cfg.Retry)
		case s.client == nil, s.pending():
			waiting = true
			timer.Reset(s.cfg.Flush)
		default:
			waiting = false
			timer.Stop()
		}
	}
}

// pending reports whether there is something that Redis does not know.
func (s *Store) pending() bool { return s.dirtyCounters.len()+s.dirtyMarks.len() > 0 }

// finish tells Redis what it does not know, and lets it go.
func (s *Store) finish() {
	for begun := time.Now(); s.client != nil && s.pending() && time.Since(begun) < s.cfg.Timeout; {
		s.flush()
	}
	s.era.Store(s.era.Load() | 1)
	refuse(s.takeQuestions())
	s.dirtyCounters.close()
	s.dirtyMarks.close()
	s.disconnect()
}

// flush tells and asks Redis once.
func (s *Store) flush() {
	asked := s.takeQuestions()
	_, err := s.breaker.Execute(func() (struct{}, error) {
		b := &batch{now: time.Now().UnixNano(), asked: asked}
		err := s.exchange(b)
		if err != nil {
			s.disconnect()
			s.keep(b)
		}
		return struct{}{}, err
	})
	if err != nil {
		refuse(asked)
	}
	s.late.Store(false)
	s.judge(err)
}

// exchange sends a batch and takes the answers. A panic of the client is an error: the
// mail has to go on.
func (s *Store) exchange(b *batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the client of Redis has panicked: %v", p)
		}
	}()
	if err := s.connect(b); err != nil {
		return err
	}
	for _, q := range b.asked {
		s.put(b, q)
	}
	s.ids = s.dirtyCounters.take(s.ids[:0], atOnce)
	for _, id := range s.ids {
		s.tellCounter(b, id)
	}
	s.ids = s.dirtyMarks.take(s.ids[:0], atOnce)
	for _, id := range s.ids {
		s.tellMark(b, id)
	}
	if len(b.commands) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
	defer cancel()
	answers := s.client.DoMulti(ctx, b.commands...)
	if err := firstError(answers); err != nil {
		return err
	}
	return s.take(b, answers)
}

// take takes the answers to a batch.
func (s *Store) take(b *batch, answers []rueidis.RedisResult) error {
	for _, q := range b.asked {
		if err := s.hear(b, q, answers); err != nil {
			return err
		}
	}
	for i := range b.counters {
		if err := s.hearCounter(b, &b.counters[i], answers); err != nil {
			return err
		}
	}
	for i := range b.marks {
		if err := s.hearMark(b, &b.marks[i], answers); err != nil {
			return err
		}
	}
	return nil
}

// keep keeps what Redis has not heard to be told again.
func (s *Store) keep(b *batch) {
	for i := range b.counters {
		s.keepCounter(&b.counters[i])
	}
	for i := range b.marks {
		s.keepMark(&b.marks[i])
	}
}

// connect opens a connection if there is none. On a new one something is written, so
// that a Redis that only answers, as a replica or one that is full, is not taken for
// one that is well.
func (s *Store) connect(b *batch) error {
	if s.client != nil {
		return nil
	}
	var err error
	if s.client, err = s.cfg.connect(s.life); err != nil {
		return err
	}
	b.add(s.client.B().Set().Key(s.cfg.Prefix + "alive").Value(s.node).PxMilliseconds(time.Minute.Milliseconds()).Build())
	return nil
}

// disconnect lets the connection go: nobody knows what would come on it next.
func (s *Store) disconnect() {
	if s.client != nil {
		s.client.drop()
		s.client = nil
	}
}

// judge begins a new era when Redis has gone or is back, and says so once.
func (s *Store) judge(err error) {
	switch {
	case err == nil && !s.sharing():
		s.era.Add(1)
		s.telemetry.back(s, time.Since(s.since))
	case err != nil && s.sharing() && s.breaker.State() == gobreaker.StateOpen:
		s.era.Add(1)
		refuse(s.takeQuestions())
		s.telemetry.away(s, err)
	default:
		return
	}
	s.since = time.Now()
}
