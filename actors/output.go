package actors

import (
	"fmt"
	"sync"
	"time"

	"millstream/handlers"
)

// flush writes what the session has to write: one write for all packets of a read.
func (s *session) flush() {
	if out := s.loop.out; len(out) > 0 {
		s.loop.out = out[:0]
		s.send(out)
	}
}

// send writes packets. If that fails the connection is lost, which comes as a
// message.
func (s *session) send(packets []byte) {
	if s.gone {
		return
	}
	s.outBytes.Add(uint64(len(packets)))
	if s.conn.Write(packets) != nil {
		return
	}
	s.unsent.look(s.conn.Unsent(), s.loop.stamp)
}

// unsent is what the MTA has not taken of what was written.
type unsent struct {
	bytes int
	since time.Time // when it last took something
}

// look notes what is unsent now.
func (u *unsent) look(bytes int, now time.Time) {
	if bytes < u.bytes || u.bytes == 0 {
		u.since = now
	}
	u.bytes = bytes
}

// checkUnsent ends a session whose MTA takes nothing.
func (s *session) checkUnsent(now time.Time) {
	if s.unsent.bytes == 0 || s.gone {
		return
	}
	s.unsent.look(s.conn.Unsent(), now)
	s.outlet.room(s.unsent.bytes)
	limit := s.sys.cfg.WriteTimeout
	if s.unsent.bytes == 0 || limit == 0 || now.Sub(s.unsent.since) < limit {
		return
	}
	s.preempt(handlers.ErrSessionClosed)
	s.fail(fmt.Errorf("%w: nothing read for %v", handlers.ErrIO, limit))
	s.advance()
}

// outlet has the changes to a message on their way from the goroutines of handlers
// to the event loop.
type outlet struct {
	max int

	mu      sync.Mutex
	changed sync.Cond
	packets [][]byte
	bytes   int  // in packets
	unsent  int  // written, but not taken by the MTA
	posted  bool // the loop is on its way
	dropped uint64
	waiters int
}

func newOutlet(limit int) *outlet {
	o := &outlet{max: limit}
	o.changed.L = &o.mu
	return o
}

// Flush is [handlers.Outlet].
func (s *session) Flush(packets []byte) {
	o := s.outlet
	o.mu.Lock()
	o.packets = append(o.packets, packets)
	o.bytes += len(packets)
	post := !o.posted
	o.posted = true
	o.mu.Unlock()
	if post {
		s.PostUserMessage(&flushed{})
	}
}

// Wait is [handlers.Outlet].
func (s *session) Wait() {
	o := s.outlet
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiters++
	for dropped := o.dropped; o.bytes+o.unsent > o.max && dropped == o.dropped; {
		o.changed.Wait()
	}
	o.waiters--
}

// drainOutlet writes the changes that wait. Each flush is a write of its own.
func (s *session) drainOutlet() {
	o := s.outlet
	if o == nil {
		return
	}
	o.mu.Lock()
	packets := o.packets
	o.packets, o.bytes, o.posted = nil, 0, false
	o.mu.Unlock()
	if len(packets) == 0 {
		return
	}
	s.flush()
	for _, p := range packets {
		s.send(p)
	}
	o.room(s.unsent.bytes)
}

// room lets those go on that wait for the MTA to take more. o may be nil.
func (o *outlet) room(unsent int) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unsent = unsent
	o.changed.Broadcast()
}

// drop forgets the changes that wait, as the message is over. o may be nil.
func (o *outlet) drop() {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.packets, o.bytes = nil, 0
	o.dropped++
	o.changed.Broadcast()
}

// waited reports whether anybody waits for the MTA to take more. o may be nil.
func (o *outlet) waited() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiters > 0
}
