package actors

import "sync"

// outlet has the changes to a message on their way from the goroutines of handlers
// to the event loop. Where it says so, it may be nil, which is one that was never
// used.
type outlet struct {
	max int

	mu      sync.Mutex
	changed sync.Cond
	packets [][]byte
	bytes   int  // in packets
	unsent  int  // written, but not taken by the MTA
	posted  bool // the loop is on its way
	closed  bool
	drops   uint64 // how often it was emptied
	waiters int
}

func newOutlet(limit int) *outlet {
	o := &outlet{max: limit}
	o.changed.L = &o.mu
	return o
}

// add adds packets, and reports whether the loop is to be called.
func (o *outlet) add(packets []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.packets = append(o.packets, packets)
	o.bytes += len(packets)
	call := !o.posted
	o.posted = true
	return call
}

// take returns what waits, to be written. Until room tells how much of it the MTA
// has taken it counts as unsent. o may be nil.
func (o *outlet) take() [][]byte {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	packets := o.packets
	o.unsent += o.bytes
	o.packets, o.bytes, o.posted = nil, 0, false
	return packets
}

// wait waits while too much is on its way, unless that is dropped. It reports whether
// there was reason to.
func (o *outlet) wait() (waited bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiters++
	for drops := o.drops; o.bytes+o.unsent > o.max && drops == o.drops && !o.closed; waited = true {
		o.changed.Wait()
	}
	o.waiters--
	return waited
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

// room notes how much the MTA has not taken yet. o may be nil.
func (o *outlet) room(unsent int) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unsent = unsent
	o.changed.Broadcast()
}

// drop forgets what waits, as the message is over. o may be nil.
func (o *outlet) drop() {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.packets, o.bytes = nil, 0
	o.drops++
	o.changed.Broadcast()
}

// close is drop for ever. o may be nil.
func (o *outlet) close() {
	if o == nil {
		return
	}
	o.drop()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.changed.Broadcast()
}
