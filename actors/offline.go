package actors

import (
	"net"
	"sync"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// An Offline is a session without a server: bytes are fed, output is gathered.
// It is for tests and tools. For time, run it in a bubble of testing/synctest.
// Its methods are for one goroutine.
//
// What was fed is overwritten when it has been handled, so that a handler which
// keeps a View shows.
type Offline struct {
	sys  *System
	loop *Loop
	link Link
	s    *session

	mu     onlyOne // whoever holds it is the event loop
	idle   sync.Cond
	in     []byte
	out    []byte
	writes int
	first  error // the first error reported since the last Feed
	clock  *time.Timer
}

// NewOffline returns a session in StateStart. It is measured only if cfg.Meter is set:
// what measures a System holds on to it.
func NewOffline(cfg Config, f handlers.Factory) (*Offline, error) {
	if cfg.Meter == nil {
		cfg.Meter = unmeasured
	}
	sys, err := NewSystem(cfg, f)
	if err != nil {
		return nil, err
	}
	o := &Offline{sys: sys, loop: sys.NewLoop(), mu: make(onlyOne, 1)}
	o.idle.L = o.mu
	sys.onReport = o.reported
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = time.AfterFunc(tickEvery, o.tick)
	o.link = o.loop.Open((*offlineConn)(o), "offline")
	o.s = o.link.(*session)
	return o, nil
}

// onlyOne is a lock. In a bubble of testing/synctest time goes on while somebody
// waits for it, as it would not with a [sync.Mutex].
type onlyOne chan struct{}

// Lock is [sync.Locker].
func (c onlyOne) Lock() { c <- struct{}{} }

// Unlock is [sync.Locker].
func (c onlyOne) Unlock() { <-c }

// tick moves the timers on.
func (o *Offline) tick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loop.Tick(time.Now())
	if !o.s.removed {
		o.clock.Reset(tickEvery)
	}
	o.idle.Broadcast()
}

// reported keeps the first error. The caller is the event loop.
func (o *Offline) reported(err error) {
	if o.first == nil {
		o.first = err
	}
}

// Feed handles p as bytes from an MTA, split in any way. It returns when nothing
// more can be done without more bytes or a pending answer. The error is the first
// that was reported; after the session has ended it is ErrSessionClosed.
func (o *Offline) Feed(p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.s.removed {
		return handlers.ErrSessionClosed
	}
	o.first = nil
	o.in = append(o.in, p...)
	n, _ := o.link.Feed(o.in)
	for i := range o.in[:n] {
		o.in[i] = '?'
	}
	o.in = append([]byte(nil), o.in[n:]...)
	return o.first
}

// Output returns the bytes written since the last call.
func (o *Offline) Output() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.out
	o.out = nil
	return out
}

// Writes returns how often the session has written.
func (o *Offline) Writes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes
}

// Wait waits until no answer is pending.
func (o *Offline) Wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.s.hold != holdNothing {
		o.idle.Wait()
	}
}

// HangUp ends the connection: with nil as an MTA that closes it, otherwise with
// an error of the transport.
func (o *Offline) HangUp(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.s.removed {
		o.link.Lost(err, len(o.in) > 0)
	}
	if o.s.removed {
		o.clock.Stop()
	}
}

// Session returns the session as a handler sees it.
func (o *Offline) Session() *handlers.Session {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.s.control.Session()
}

// Control returns the other end of the session: state, status, options, peer,
// result and quarantine reason can be set with it, without a check.
func (o *Offline) Control() *handlers.Control { return o.s.control }

// Info describes the session, as that of a server.
func (o *Offline) Info() Info { return o.s.info(time.Now()) }

// offlineConn is an Offline as its session sees it.
type offlineConn Offline

// Write is [Conn].
func (c *offlineConn) Write(packets []byte) error {
	c.out = append(c.out, packets...)
	c.writes++
	return nil
}

// Unsent is [Conn]: everything is taken at once.
func (*offlineConn) Unsent() int { return 0 }

// Close is [Conn].
func (c *offlineConn) Close(time.Duration) { c.clock.Stop() }

// Post is [Conn]. It may be called on the event loop, so f has a goroutine.
func (c *offlineConn) Post(f func()) error {
	go func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		f()
		c.idle.Broadcast()
	}()
	return nil
}

// RemoteAddr is [Conn].
func (*offlineConn) RemoteAddr() net.Addr { return protocol.Addr{} }
