package main

import (
	"context"
	"sync"
	"time"

	"millstream/actors"
)

// Limits of a history: how many messages it keeps, and how many bytes they may
// take all together. Whichever is reached first, the oldest message goes.
const (
	historyMessages = 5000
	historyBytes    = 32 << 20
)

// A history is what is known of the last messages, and of the last minutes. Its
// memory is bounded however many messages there are and whatever they carry.
//
//	event loops ──▶ add ──▶ ring of entries ──▶ search, entry
//	                 └────▶ seconds ──────────▶ rates
//
// Entries never change, so that a search holds the lock only for as long as it takes
// to copy the ring, and event loops do not wait for it.
type history struct {
	now      func() time.Time
	maxBytes int

	mu      sync.Mutex
	ring    []*historyEntry // the entry with number n is at n % len
	last    uint64          // number of the newest; the first has 1
	oldest  uint64          // number of the oldest that is kept
	bytes   int             // of all that are kept
	totals  [numVerdicts]uint64
	seconds historySeconds
}

// newHistory returns an empty history of so many messages; 0 is historyMessages.
func newHistory(messages int) *history {
	if messages <= 0 {
		messages = historyMessages
	}
	return &history{now: time.Now, maxBytes: historyBytes, ring: make([]*historyEntry, messages), oldest: 1}
}

// add notes a message that has ended, as [actors.Config.Timelines] wants it. It
// keeps parts of the timeline, which must not change any more.
func (h *history) add(line *actors.Timeline) {
	e := newHistoryEntry(line)
	now := h.now().Unix()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.id = h.last
	if h.last-h.oldest >= uint64(len(h.ring)) {
		h.drop()
	}
	*h.slot(e.id) = e
	h.bytes += e.bytes
	for h.bytes > h.maxBytes && h.oldest < h.last {
		h.drop()
	}
	h.totals[e.verdict]++
	h.seconds.message(now, e.verdict, e.waited)
}

// slot returns where the entry with a number is. The caller holds the lock.
func (h *history) slot(id uint64) **historyEntry { return &h.ring[id%uint64(len(h.ring))] }

// drop forgets the oldest entry. The caller holds the lock.
func (h *history) drop() {
	p := h.slot(h.oldest)
	h.bytes -= (*p).bytes
	*p = nil
	h.oldest++
}

// entry returns the entry with a number; nil if it is not kept any more.
func (h *history) entry(id uint64) *historyEntry {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id < h.oldest || id > h.last {
		return nil
	}
	return *h.slot(id)
}

// entries returns all that is kept, newest first.
func (h *history) entries() []*historyEntry {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*historyEntry, 0, h.last+1-h.oldest)
	for id := h.last; id >= h.oldest; id-- {
		all = append(all, *h.slot(id))
	}
	return all
}

// A historyCount says how much a history keeps and has seen.
type historyCount struct {
	kept, maxKept   int
	bytes, maxBytes int
	totals          [numVerdicts]uint64
}

// count returns how much the history keeps and has seen.
func (h *history) count() historyCount {
	h.mu.Lock()
	defer h.mu.Unlock()
	return historyCount{int(h.last + 1 - h.oldest), len(h.ring), h.bytes, h.maxBytes, h.totals}
}

// watch notes each second how many sessions there are, until ctx ends.
func (h *history) watch(ctx context.Context, sessions func() int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		h.sample(sessions())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sample notes how many sessions there are now.
func (h *history) sample(sessions int) {
	now := h.now().Unix()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seconds.sample(now, sessions)
}
