package actors

import (
	"math"
	"time"
)

// tickEvery is how coarse time is for sessions.
const tickEvery = 100 * time.Millisecond

// wheelSlots is how many ticks a turn of the wheel takes.
const wheelSlots = 1024

// An instant is a time as the timers of a loop know it: since the loop began. It takes a
// third of the room of a [time.Time].
type instant int64

// never does not come.
const never instant = math.MaxInt64

// after returns the time that comes a while after i: never, if that is too far away to be
// told.
func (i instant) after(d time.Duration) instant { return min(i, never-instant(d)) + instant(d) }

// wheel is the timers of an event loop. To move a timer to a later time is a store;
// it is found too early in its old slot then, and goes to the new one.
type wheel struct {
	slots [wheelSlots]*timer
	now   int64 // ticks so far
	start time.Time
}

// timer is the one timer of a session: whatever it waits for comes first.
type timer struct {
	s          *session
	due        int64 // tick at which to wake the session; 0 is off
	slot       int64 // tick of the slot it stands in; 0 is none
	prev, next *timer
}

// instant returns t as w knows it.
func (w *wheel) instant(t time.Time) instant { return instant(t.Sub(w.start)) }

// tickOf returns the first tick that is not before at.
func (w *wheel) tickOf(at instant) int64 {
	return max(int64((at.after(tickEvery)-1)/instant(tickEvery)), w.now+1)
}

// set has t wake its session at a time.
func (w *wheel) set(t *timer, at instant) {
	if at == never {
		t.due = 0
		return
	}
	t.due = w.tickOf(at)
	if t.slot == 0 || t.due < t.slot {
		w.move(t, t.due)
	}
}

// move puts t into the slot of a tick; 0 takes it out.
func (w *wheel) move(t *timer, slot int64) {
	if t.slot != 0 {
		if t.prev != nil {
			t.prev.next = t.next
		} else {
			w.slots[t.slot%wheelSlots] = t.next
		}
		if t.next != nil {
			t.next.prev = t.prev
		}
		t.prev, t.next = nil, nil
	}
	if t.slot = slot; slot == 0 {
		return
	}
	head := &w.slots[slot%wheelSlots]
	if t.next = *head; t.next != nil {
		t.next.prev = t
	}
	*head = t
}

// advance moves the wheel on to a time, and calls wake for each timer that is due.
func (w *wheel) advance(now instant, wake func(*timer)) {
	for to := int64(now / instant(tickEvery)); w.now < to; {
		if to-w.now > wheelSlots { // the machine slept: one whole turn sees every timer
			w.now = to - wheelSlots
		}
		w.now++
		for t := w.slots[w.now%wheelSlots]; t != nil; {
			next := t.next
			if t.slot <= w.now {
				w.expire(t, wake)
			}
			t = next
		}
	}
}

// expire wakes the session of t, or moves t to where it belongs.
func (w *wheel) expire(t *timer, wake func(*timer)) {
	switch {
	case t.due == 0:
		w.move(t, 0)
	case t.due > w.now:
		w.move(t, t.due)
	default:
		t.due = 0
		w.move(t, 0)
		wake(t)
	}
}
