package actors

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"millstream/protocol"
)

// Limits of taps. Sizes are in bytes.
const (
	maxTaps      = 8
	defaultKeep  = 1 << 20
	defaultRoom  = 32 << 20
	tapEventSize = 256 // that an event counts for beside its packet
)

// A Tap is what the sessions that match a filter say and hear, packet by packet. Those
// that begin while it is open are looked at, and no others. What a reader does not read
// in time it misses: sessions never wait for it. Packets are the content of mail.
type Tap struct {
	sys    *System
	filter tapFilter
	keep   int
	closed atomic.Bool
	more   chan struct{} // has room for one: there is something to read, or it is over

	mu     sync.Mutex
	queue  []TapEvent
	room   int // bytes that may still be kept, of sessions and in the queue
	missed int // sessions for which there was no room
}

// A TapEvent is one packet, or something else that happened to a session. It is owned.
type TapEvent struct {
	Kind    TapKind       `json:"kind"`
	Session uint64        `json:"session,omitempty"`
	At      time.Duration `json:"at"`               // since the session began
	Joined  bool          `json:"joined,omitempty"` // it was read, or written, together with the packet before
	Packet  []byte        `json:"packet,omitempty"` // whole, but for what is none: then it is what came

	// Missed is how many packets of the session are left out before this event, for
	// lack of room, and MissedBytes how large they are. With TapMissed it is sessions.
	Missed      int `json:"missed,omitempty"`
	MissedBytes int `json:"missed_bytes,omitempty"`

	// With TapSession alone.
	Began    time.Time     `json:"began,omitzero"`
	Peer     protocol.Addr `json:"peer,omitzero"` // the MTA
	Listener string        `json:"listener,omitempty"`
}

// TapKind says what a [TapEvent] is.
type TapKind string

// The kinds of events.
const (
	TapSession  TapKind = "session"  // a session matches: all that is known of it follows
	TapSent     TapKind = "sent"     // a packet of the MTA
	TapAnswered TapKind = "answered" // a packet to the MTA
	TapLeft     TapKind = "left"     // the MTA closed the connection
	TapReset    TapKind = "reset"    // the connection broke
	TapClosed   TapKind = "closed"   // the server closed the connection
	TapEnd      TapKind = "end"      // the session is over: nothing follows
	TapMissed   TapKind = "missed"   // sessions began that there was no room for
)

// size returns what e counts for.
func (e *TapEvent) size() int { return tapEventSize + len(e.Packet) }

// Tap opens a tap, which is to be closed. The error is ErrInvalidArgument and names the
// part of the filter that is wrong, or ErrTooMany if there are eight already.
func (s *System) Tap(f TapFilter) (*Tap, error) {
	filter, err := f.compile()
	if err != nil {
		return nil, err
	}
	t := &Tap{sys: s, filter: filter, keep: f.Keep, room: f.Room, more: make(chan struct{}, 1)}
	fill(&t.keep, defaultKeep)
	fill(&t.room, defaultRoom)
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []*Tap
	if p := s.taps.Load(); p != nil {
		open = *p
	}
	if len(open) == maxTaps {
		return nil, fmt.Errorf("%w: %d taps are open already", protocol.ErrTooMany, maxTaps)
	}
	open = append(slices.Clone(open), t)
	s.taps.Store(&open)
	return t, nil
}

// Close ends the tap, and a Read that waits. What was not read is dropped.
func (t *Tap) Close() {
	if t.closed.Swap(true) {
		return
	}
	t.remove()
	t.mu.Lock()
	t.queue, t.room = nil, 0
	t.mu.Unlock()
	t.wake()
}

// remove takes the tap out of the system.
func (t *Tap) remove() {
	s := t.sys
	s.mu.Lock()
	defer s.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(*s.taps.Load()), func(one *Tap) bool { return one == t })
	if len(left) == 0 {
		s.taps.Store(nil)
		return
	}
	s.taps.Store(&left)
}

// Read returns the events since the last call, and waits if there are none. Those of a
// session are in order. The error is the cause of the end of ctx, or io.EOF once the
// tap is closed. It is for one goroutine.
func (t *Tap) Read(ctx context.Context) ([]TapEvent, error) {
	for {
		if events := t.take(); len(events) > 0 {
			return events, nil
		}
		if t.closed.Load() {
			return nil, io.EOF
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-t.more:
		}
	}
}

// take takes what there is to read.
func (t *Tap) take() []TapEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	events := t.queue
	t.queue = nil
	for i := range events {
		t.room += events[i].size()
	}
	if t.missed > 0 {
		events = append(events, TapEvent{Kind: TapMissed, Missed: t.missed})
		t.missed = 0
	}
	return events
}

// reserve takes room, if there is enough.
func (t *Tap) reserve(size int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.room < size || t.closed.Load() {
		return false
	}
	t.room -= size
	return true
}

// release gives room back.
func (t *Tap) release(size int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.room += size
}

// push has events read for which there is room already.
func (t *Tap) push(events ...TapEvent) {
	t.mu.Lock()
	if !t.closed.Load() {
		t.queue = append(t.queue, events...)
	}
	t.mu.Unlock()
	t.wake()
}

// miss counts a session for which there is no room.
func (t *Tap) miss() {
	t.mu.Lock()
	t.missed++
	t.mu.Unlock()
	t.wake()
}

func (t *Tap) wake() {
	select {
	case t.more <- struct{}{}:
	default:
	}
}
