package actors

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A clockwork is a wheel and timers, with a time of its own.
type clockwork struct {
	wheel
	t     *testing.T
	woken []int
	list  []*timer
}

func newClockwork(t *testing.T, n int) *clockwork {
	w := &clockwork{t: t, wheel: wheel{start: time.Now()}}
	for range n {
		w.list = append(w.list, new(timer))
	}
	return w
}

// to moves on to a time and returns the numbers of the timers that are due.
func (w *clockwork) to(d time.Duration) []int {
	w.woken = nil
	w.advance(instant(d), func(t *timer) { w.woken = append(w.woken, slices.Index(w.list, t)) })
	w.check()
	return w.woken
}

// check looks at the lists of all slots.
func (w *clockwork) check() {
	w.t.Helper()
	for i, head := range w.slots {
		var prev *timer
		for t := head; t != nil; prev, t = t, t.next {
			if t.prev != prev || int(t.slot%wheelSlots) != i || t.slot <= w.now {
				w.t.Fatalf("slot %d at %d has a timer of slot %d, due at %d", i, w.now, t.slot, t.due)
			}
		}
	}
}

func TestWheel(t *testing.T) {
	const turn = wheelSlots * tickEvery
	type step struct {
		set  time.Duration // negative is never
		to   time.Duration
		want int // how often the timer is due
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"due", []step{{time.Second, time.Second - 1, 0}, {time.Second, time.Second, 1}}},
		{"rounded up", []step{{time.Second + 1, time.Second + tickEvery - 1, 0}, {time.Second + 1, time.Second + tickEvery, 1}}},
		{"once", []step{{time.Second, 2 * time.Second, 1}, {-1, 3 * turn, 0}}},
		{"in the past", []step{{0, 5 * time.Second, 1}, {time.Second, 5*time.Second + tickEvery, 1}}},
		{"moved later", []step{{time.Second, 0, 0}, {3 * time.Second, 2 * time.Second, 0}, {3 * time.Second, 3 * time.Second, 1}}},
		{"moved earlier", []step{{3 * time.Second, 0, 0}, {time.Second, time.Second, 1}, {-1, turn, 0}}},
		{"moved later by turns", []step{{time.Second, 0, 0}, {3 * turn, 3*turn - 1, 0}, {3 * turn, 3 * turn, 1}}},
		{"many turns", []step{{7*turn + time.Second, 7 * turn, 0}, {7*turn + time.Second, 7*turn + time.Second, 1}}},
		{"never", []step{{time.Second, 0, 0}, {-1, 2 * turn, 0}}},
		{"never, and again", []step{{time.Second, 0, 0}, {-1, 0, 0}, {2 * time.Second, 2 * time.Second, 1}}},
		{"a jump of time", []step{{time.Second, 100 * turn, 1}}},
		{"a jump not far enough", []step{{50*turn + time.Second, 50 * turn, 0}, {50*turn + time.Second, 51 * turn, 1}}},
		{"time that goes back", []step{{2 * time.Second, time.Second, 0}, {2 * time.Second, 0, 0}, {2 * time.Second, 2 * time.Second, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newClockwork(t, 1)
			for i, s := range tt.steps {
				at := never
				if s.set >= 0 {
					at = instant(s.set)
				}
				w.set(w.list[0], at)
				if got := len(w.to(s.to)); got != s.want {
					t.Errorf("step %d: due %d times, want %d", i, got, s.want)
				}
			}
		})
	}
}

// A timer that is taken out does not come, and its neighbours do.
func TestWheelRemove(t *testing.T) {
	for gone := range 4 {
		w := newClockwork(t, 4)
		for _, timer := range w.list {
			w.set(timer, instant(time.Second))
		}
		w.move(w.list[gone], 0)
		if got := w.to(time.Second); len(got) != 3 || slices.Contains(got, gone) {
			t.Errorf("without %d: %v", gone, got)
		}
		w.move(w.list[gone], 0) // again: nothing
	}
}

// A session that is woken may set its timer again, or take it out.
func TestWheelWithin(t *testing.T) {
	w := newClockwork(t, 3)
	for _, timer := range w.list {
		w.set(timer, instant(time.Second))
	}
	n := 0
	w.advance(instant(2*time.Second), func(timer *timer) {
		n++
		switch timer {
		case w.list[0]:
			w.set(timer, instant(1500*time.Millisecond)) // in the same call
		case w.list[1]:
			w.move(timer, 0)
		case w.list[2]:
			w.set(timer, instant(time.Hour))
		}
	})
	w.check()
	if n < 4 || w.list[1].slot != 0 || w.list[2].slot == 0 {
		t.Errorf("woken %d times", n)
	}
}

// Whatever is set, and however time moves on, each timer comes at its tick.
func TestWheelRandom(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newClockwork(t, 20)
		due := make([]time.Duration, len(w.list)) // 0 is never
		var now time.Duration
		for range 300 {
			i := r.IntN(len(w.list))
			switch r.IntN(4) {
			case 0:
				due[i] = 0
				w.set(w.list[i], never)
			default:
				due[i] = now + time.Duration(r.Int64N(int64(3*wheelSlots*tickEvery))>>r.IntN(16)) + 1
				w.set(w.list[i], instant(due[i]))
			}
			now += time.Duration(r.Int64N(int64(2*wheelSlots*tickEvery)) >> r.IntN(16))
			got := w.to(now)
			for i, d := range due {
				tick := (d + tickEvery - 1).Truncate(tickEvery)
				if wanted := d > 0 && tick <= now.Truncate(tickEvery); wanted != slices.Contains(got, i) {
					t.Fatalf("seed %d: timer %d due at %v, now %v: woken %v", seed, i, d, now, !wanted)
				}
				if slices.Contains(got, i) {
					due[i] = 0
				}
			}
		}
	}
}

// What is too far away never comes.
func TestInstantFar(t *testing.T) {
	for d, want := range map[time.Duration]instant{time.Second: 5 + instant(time.Second), math.MaxInt64 - 6: never - 1, math.MaxInt64 - 4: never, math.MaxInt64: never} {
		if got := instant(5).after(d); got != want {
			t.Errorf("%d after 5 is %d, want %d", d, got, want)
		}
	}
}
