package main

import (
	"math/bits"
	"time"
)

// historySpan is how many seconds rates go back.
const historySpan = 300

// historySeconds are counts of each of the last seconds, in fixed memory. The caller
// of its methods holds the lock of the history.
type historySeconds struct {
	ring [historySpan + 1]historySecond // the one that goes on too
}

// A historySecond is what happened in one second.
type historySecond struct {
	at       int64 // Unix time
	messages [numVerdicts]uint32
	waits    waitCounts
	sessions int // 1 more than there were; 0 if nobody has looked
}

// second returns the counts of a second.
func (s *historySeconds) second(at int64) *historySecond {
	one := &s.ring[uint64(at)%uint64(len(s.ring))]
	if one.at != at {
		*one = historySecond{at: at}
	}
	return one
}

// message counts a message for which the MTA has waited so long.
func (s *historySeconds) message(at int64, v verdictIndex, waited time.Duration) {
	one := s.second(at)
	one.messages[v]++
	one.waits.add(waited)
}

// sample notes how many sessions there are.
func (s *historySeconds) sample(at int64, sessions int) { s.second(at).sessions = 1 + sessions }

// Waits are counted in buckets of microseconds. There are eight of them from each
// power of two to the next, so that a value is known to an eighth.
const (
	waitBits    = 3
	waitSteps   = 1 << waitBits
	maxWait     = 1<<32 - 1 // more than an hour
	waitBuckets = waitSteps * (32 - waitBits + 1)
)

// waitCounts are how many messages fell into each bucket.
type waitCounts [waitBuckets]uint32

// add counts one message.
func (c *waitCounts) add(waited time.Duration) {
	us := uint64(min(max(waited.Microseconds(), 0), maxWait))
	if us < waitSteps {
		c[us]++
		return
	}
	e := bits.Len64(us) - waitBits - 1
	c[waitSteps*e+int(us>>e)]++
}

// merge adds the counts of another second.
func (c *waitCounts) merge(other *waitCounts) {
	for i, n := range other {
		c[i] += n
	}
}

// quantile returns what a share of all messages did not exceed: the middle of the
// bucket in which it lies. There is none if there were no messages.
func (c *waitCounts) quantile(share float64) (wait time.Duration, ok bool) {
	var total uint64
	for _, n := range c {
		total += uint64(n)
	}
	if total == 0 {
		return 0, false
	}
	rank := min(uint64(share*float64(total)), total-1)
	for i, n := range c {
		if rank < uint64(n) {
			return bucketMiddle(i), true
		}
		rank -= uint64(n)
	}
	return 0, false // not reached
}

// bucketMiddle returns the middle of a bucket.
func bucketMiddle(i int) time.Duration {
	if i < waitSteps {
		return time.Duration(i) * time.Microsecond
	}
	e := i/waitSteps - 1
	low := uint64(waitSteps+i%waitSteps) << e
	return time.Duration(low)*time.Microsecond + (time.Duration(1)<<e-1)*time.Microsecond/2
}

// historyRates are the last seconds, oldest first. The one that goes on is not among
// them.
type historyRates struct {
	from    int64 // the first second, in Unix time
	seconds []historySecond
}

// rates returns the last seconds, at most historySpan.
func (h *history) rates(seconds int) historyRates {
	seconds = min(seconds, historySpan)
	now := h.now().Unix()
	r := historyRates{from: now - int64(seconds), seconds: make([]historySecond, seconds)}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range r.seconds {
		at := r.from + int64(i)
		r.seconds[i].at = at
		if one := &h.seconds.ring[uint64(at)%uint64(len(h.seconds.ring))]; one.at == at {
			r.seconds[i] = *one
		}
	}
	return r
}

// sum returns all seconds as one.
func (r *historyRates) sum() (all historySecond) {
	for i := range r.seconds {
		one := &r.seconds[i]
		for v, n := range one.messages {
			all.messages[v] += n
		}
		all.waits.merge(&one.waits)
	}
	return all
}
