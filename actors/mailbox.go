package actors

import (
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is the mailbox of a session. What the event loop posts runs inline, at
// once; what other goroutines post waits in a queue for the loop. So the actor
// runs on its loop and nowhere else.
//
// A message that comes while the actor runs (the connection is lost within a write,
// protoactor posts Stop to an actor itself) waits until the turn is over. After the
// actor has stopped, what comes late is dropped and counted.
type mailbox struct {
	owner   owner
	invoker actor.MessageInvoker

	mu        sync.Mutex
	queue     []posted // from other goroutines, or from within the actor
	running   bool
	scheduled bool // a drain is on its way to the loop
	closed    bool
}

// posted is a message that waits.
type posted struct {
	message any
	system  bool // of protoactor itself
}

// owner is what a mailbox needs of the session it belongs to.
type owner interface {
	post(f func()) error // runs f on the event loop, later
	dropped(message any) // may be called on any goroutine
	panicked(reason any) // is called with the stack still as it was
}

// PostUserMessage takes a message for the actor. It is [actor.Mailbox].
func (m *mailbox) PostUserMessage(message any) {
	switch message.(type) {
	case *batch, *lost, *tick:
		m.run(message)
	default:
		m.enqueue(posted{message: message})
	}
}

// PostSystemMessage takes a message of protoactor. It is [actor.Mailbox].
func (m *mailbox) PostSystemMessage(message any) {
	if _, ok := message.(*actor.Started); ok { // by spawn, on the loop
		m.run(message)
		return
	}
	m.enqueue(posted{message, true})
}

// RegisterHandlers is [actor.Mailbox].
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
}

// Start is [actor.Mailbox]. Each spawn calls it, but it has no statement to cover.
func (*mailbox) Start() {}

// UserMessageCount is [actor.Mailbox].
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue) - m.systems()
}

// depth returns how many messages wait, and whether the loop is on its way to them.
func (m *mailbox) depth() (waiting int, scheduled bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue), m.scheduled
}

// systems returns how many messages of protoactor wait: they come first. The caller
// holds the lock.
func (m *mailbox) systems() (n int) {
	for n < len(m.queue) && m.queue[n].system {
		n++
	}
	return n
}

// enqueue adds a message to those that wait, and has the loop drain them if nobody
// else does.
func (m *mailbox) enqueue(p posted) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		m.owner.dropped(p.message)
		return
	}
	if p.system {
		m.queue = slices.Insert(m.queue, m.systems(), p)
	} else {
		m.queue = append(m.queue, p)
	}
	wake := !m.running && !m.scheduled
	m.scheduled = m.scheduled || wake
	m.mu.Unlock()
	if wake && m.owner.post(m.drain) != nil { // the loop has ended, and the session with it
		m.close()
	}
}

// drain handles what waits. It runs on the loop.
func (m *mailbox) drain() {
	m.mu.Lock()
	m.scheduled = false
	m.mu.Unlock()
	m.run(nil)
}

// run handles what waits, then message, then what has come meanwhile. It runs on
// the loop. Without a message it is nil.
func (m *mailbox) run(message any) {
	m.mu.Lock()
	if m.running && !m.closed {
		if message != nil {
			m.queue = append(m.queue, posted{message: message})
		}
		m.mu.Unlock()
		return
	}
	m.running = true
	for {
		next := m.pop()
		if next.message == nil && !m.closed {
			next.message, message = message, nil
			_, next.system = next.message.(*actor.Started)
		}
		if next.message == nil {
			break
		}
		m.mu.Unlock()
		m.invoke(next)
		m.mu.Lock()
	}
	m.running = false
	m.mu.Unlock()
	if message != nil { // closed
		m.owner.dropped(message)
	}
}

// pop takes the next message that waits; it is nil if there is none. The caller holds
// the lock.
func (m *mailbox) pop() (next posted) {
	if len(m.queue) == 0 || m.closed {
		return next
	}
	next = m.queue[0]
	if m.queue = m.queue[1:]; len(m.queue) == 0 {
		m.queue = nil
	}
	return next
}

// invoke hands a message to the actor. A panic in it is one of ours, not of a
// handler: the supervisor stops the actor.
func (m *mailbox) invoke(p posted) {
	defer func() {
		if reason := recover(); reason != nil {
			m.owner.panicked(reason)
			m.invoker.EscalateFailure(reason, nil)
		}
	}()
	switch p.message.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox: // a stop follows
		return
	}
	if p.system {
		m.invoker.InvokeSystemMessage(p.message)
		return
	}
	m.invoker.InvokeUserMessage(p.message)
}

// close drops what waits and all that comes later.
func (m *mailbox) close() {
	m.mu.Lock()
	late := m.queue[m.systems():]
	m.queue, m.closed = nil, true
	m.mu.Unlock()
	for _, p := range late {
		m.owner.dropped(p.message)
	}
}

// onLoop is the dispatcher of sessions. Their mailbox schedules itself.
type onLoop struct{}

// Schedule is [actor.Dispatcher].
func (onLoop) Schedule(f func()) { f() }

// Throughput is [actor.Dispatcher].
func (onLoop) Throughput() int { return 1 }

// stopFailed is the supervision of sessions: one that panicked is stopped. To start
// it again on the same stream would answer out of step.
type stopFailed struct{}

// HandleFailure is [actor.SupervisorStrategy].
func (stopFailed) HandleFailure(_ *actor.ActorSystem, s actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any,
) {
	s.StopChildren(child)
}
