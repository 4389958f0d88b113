package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// What is posted when the event loop has ended is late, and all after it.
func TestMailboxLoopEnded(t *testing.T) {
	o := newPostOffice(t, 0)
	o.ended = true
	for n := range 3 {
		o.posted.Add(1)
		o.PostUserMessage(letter{numOwn, n + 1})
	}
	if o.late.Load() != 3 || o.handled != 0 {
		t.Errorf("%d late, %d handled", o.late.Load(), o.handled)
	}
}

// What comes behind the message that ends the actor is late, in whatever queue.
func TestMailboxEndWithin(t *testing.T) {
	o := newPostOffice(t, 0)
	o.quitAt = 1
	o.PostUserMessage(letter{numOwn, 1})
	o.PostUserMessage(letter{numOwn, 2})
	o.PostUserMessage(&batch{taken: 1}) // handles what waits first, and that is the end
	o.PostUserMessage(&batch{taken: 2})
	o.PostUserMessage(letter{numOwn, 3})
	for _, f := range o.queue {
		f()
	}
	if within := o.next[fromWithin] + o.next[fromWrite]; o.handled != 1 || int(o.late.Load()) != 4+within {
		t.Errorf("%d handled, %d late", o.handled, o.late.Load())
	}
}

// Messages of protoactor come first, and those about the mailbox go no further.
func TestMailboxSystem(t *testing.T) {
	o := newPostOffice(t, 0)
	o.PostUserMessage(letter{numOwn, 1})
	o.PostSystemMessage(&actor.SuspendMailbox{})
	o.PostSystemMessage(&actor.ResumeMailbox{})
	o.PostSystemMessage(&actor.Stop{})
	o.PostSystemMessage(&actor.Watch{})
	if len(o.queue) != 1 {
		t.Errorf("the loop was called %d times", len(o.queue))
	}
	o.queue[0]()
	if !o.stopped || o.handled != 0 || o.late.Load() != 1 {
		t.Errorf("stopped %v, %d handled, %d late", o.stopped, o.handled, o.late.Load())
	}
	o.drain() // one that was still on its way
	var d onLoop
	d.Schedule(o.Start)
	if d.Throughput() != 1 {
		t.Error("throughput")
	}
}
