package actors

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// Who posts to the mailbox of a test. Workers come after these.
const (
	fromLoop   = iota // inline
	fromWithin        // by the actor itself
	fromWrite         // by the loop, while the actor runs: a connection lost in a write
	numOwn
)

// A letter is a message of the test: who posted it, and its number.
type letter struct {
	poster, n int
}

// postOffice is a mailbox, the event loop it belongs to, and an actor that notes
// what it is told. Fields without a lock are the loop's: the race detector sees to
// that.
type postOffice struct {
	mailbox
	t    *testing.T
	seed uint64
	rand *rand.Rand // of the actor

	id      []byte // of the loop's goroutine
	busy    bool   // the actor runs
	next    [numOwn]int
	last    map[int]int // by poster
	handled int
	quitAt  int // after how many messages the actor stops; 0 is never
	stopped bool

	late   atomic.Int64
	posted atomic.Int64

	mu    sync.Mutex
	queue []func()
	ended bool // the loop takes nothing any more
	wake  chan struct{}
}

func newPostOffice(t *testing.T, seed uint64) *postOffice {
	o := &postOffice{
		t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), last: make(map[int]int),
		wake: make(chan struct{}, 1), id: goroutineID(),
	}
	o.mailbox.owner = o
	o.RegisterHandlers(o, nil)
	return o
}

// goroutineID returns what tells this goroutine from others.
func goroutineID() []byte {
	b := make([]byte, 64)
	b = b[:runtime.Stack(b, false)]
	return bytes.Clone(b[:bytes.IndexByte(b, '[')])
}

func (o *postOffice) errorf(format string, args ...any) {
	o.t.Helper()
	o.t.Errorf("seed %d: "+format, append([]any{o.seed}, args...)...)
}

func (o *postOffice) dropped(any)         { o.late.Add(1) }
func (o *postOffice) panicked(reason any) { o.errorf("panic: %v", reason) }

// post is the Post of a connection.
func (o *postOffice) post(f func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return errors.New("the loop has ended")
	}
	o.queue = append(o.queue, f)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return nil
}

// send posts the next message of a poster of the loop.
func (o *postOffice) send(poster int) {
	o.next[poster]++
	n := o.next[poster]
	o.posted.Add(1)
	switch poster {
	case fromWithin:
		o.PostUserMessage(&resolved{turn: uint64(n)})
	case fromLoop:
		o.PostUserMessage(&batch{taken: n})
	case fromWrite:
		o.PostUserMessage(&batch{taken: n, macro: true})
	}
}

// of returns who posted a message, and its number.
func of(message any) letter {
	switch m := message.(type) {
	case *batch:
		if m.macro {
			return letter{fromWrite, m.taken}
		}
		return letter{fromLoop, m.taken}
	case *resolved:
		return letter{fromWithin, int(m.turn)}
	}
	return message.(letter)
}

// InvokeUserMessage is the actor.
func (o *postOffice) InvokeUserMessage(message any) {
	switch {
	case !bytes.Equal(goroutineID(), o.id):
		o.errorf("%+v handled on another goroutine", message)
	case o.busy:
		o.errorf("%+v handled within another message", message)
	case o.stopped:
		o.errorf("%+v handled after the end", message)
	}
	o.busy = true
	defer func() { o.busy = false }()
	p := of(message)
	if p.n <= o.last[p.poster] {
		o.errorf("%+v came after %d", p, o.last[p.poster])
	}
	o.last[p.poster] = p.n
	o.handled++
	switch o.rand.IntN(8) {
	case 0:
		o.send(fromWithin)
	case 1:
		o.send(fromWrite)
	case 2:
		runtime.Gosched()
	}
	if o.handled == o.quitAt {
		o.PostSystemMessage(&actor.Stop{})
	}
}

// InvokeSystemMessage stops the actor.
func (o *postOffice) InvokeSystemMessage(message any) {
	if o.stopped {
		o.errorf("%T handled after the end", message)
	}
	if _, ok := message.(*actor.Stop); ok {
		o.stopped = true
		o.mailbox.close()
	}
}

// EscalateFailure is of no use here.
func (o *postOffice) EscalateFailure(any, any) {}

// loop does what was posted until all workers are done and nothing is left. If it is
// busy it has messages of its own.
func (o *postOffice) loop(done <-chan struct{}, r *rand.Rand, busy bool) {
	for {
		if busy && r.IntN(3) == 0 {
			o.send(fromLoop)
		}
		o.mu.Lock()
		queue := o.queue
		o.queue = nil
		o.mu.Unlock()
		for _, f := range queue {
			f()
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-o.wake:
		case <-done:
			done = nil
		default:
			if done == nil {
				return
			}
			runtime.Gosched()
		}
	}
}

// Whatever comes when, from wherever: nothing is lost, each poster's messages keep
// their order, all are handled on the loop, one by one, and none after the end.
func TestMailboxSchedules(t *testing.T) {
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 200
	}
	for seed := range seeds {
		o := newPostOffice(t, seed)
		r := rand.New(rand.NewPCG(seed, 2))
		workers, each := 1+r.IntN(4), 1+r.IntN(60)
		if r.IntN(2) == 0 {
			o.quitAt = 1 + r.IntN(workers*each)
		}
		o.run(nil)
		var wg sync.WaitGroup
		for w := range workers {
			pause := rand.New(rand.NewPCG(seed, uint64(3+w)))
			wg.Go(func() {
				for n := range each {
					o.posted.Add(1)
					o.PostUserMessage(letter{numOwn + w, n + 1})
					for range pause.IntN(4) {
						runtime.Gosched()
					}
				}
			})
		}
		done := make(chan struct{})
		go func() {
			wg.Wait()
			close(done)
		}()
		o.loop(done, r, seed%2 == 0)
		if handled := int64(o.handled); handled+o.late.Load() != o.posted.Load() || o.quitAt == 0 && o.late.Load() != 0 ||
			o.quitAt != 0 && o.handled != o.quitAt {
			o.errorf("%d posted, %d handled, %d late; it was to end after %d", o.posted.Load(), handled, o.late.Load(), o.quitAt)
		}
		if n := o.UserMessageCount(); n != 0 {
			o.errorf("%d messages are left", n)
		}
		if t.Failed() {
			return
		}
	}
}
