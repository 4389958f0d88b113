package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Timers come in order, however they were added and taken.
func TestTimers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var h timers
		var want []int64
		for range random.IntN(200) {
			if len(want) > 0 && random.IntN(3) == 0 {
				slices.Sort(want)
				if at, ok := h.next(); !ok || at != want[0] || h.take().at != want[0] {
					t.Fatalf("the next timer is %d, want %d", at, want[0])
				}
				want = want[1:]
				continue
			}
			at := random.Int64N(50)
			h.add(timer{at: at})
			want = append(want, at)
		}
		slices.Sort(want)
		for _, at := range want {
			if got := h.take().at; got != at {
				t.Fatalf("timer %d, want %d", got, at)
			}
		}
		if at, ok := h.next(); ok {
			t.Fatalf("timer %d is left", at)
		}
	}
}

// A session is in one pool at most, and leaves it from wherever it is.
func TestPool(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var pools [2]pool
	sessions := make([]*session, 20)
	for i := range sessions {
		sessions[i] = &session{slot: i}
	}
	for range 10_000 {
		s, p := sessions[random.IntN(len(sessions))], &pools[random.IntN(len(pools))]
		switch {
		case s.pool != nil:
			s.unpool()
			s.unpool() // is none any more
		case len(*p) > 0 && random.IntN(3) == 0:
			p.take()
		default:
			p.put(s)
		}
		waiting := 0
		for i := range pools {
			for place, s := range pools[i] {
				if s.pool != &pools[i] || s.place != place {
					t.Fatalf("session %d does not know that it is at %d", s.slot, place)
				}
				waiting++
			}
		}
		for _, s := range sessions {
			if s.pool != nil {
				waiting--
			}
		}
		if waiting != 0 {
			t.Fatalf("%d sessions too many wait", waiting)
		}
	}
}

// A worker that waits is woken, also if it waits only after that.
func TestPollerWake(t *testing.T) {
	p := openPoller(t)
	for range 3 {
		p.wake()
		p.wake()
		if n, err := p.wait(int64(time.Hour)); n != 1 || err != nil {
			t.Fatalf("%d events, %v", n, err)
		}
		if slot, _, _, _ := p.event(0); slot != ownSlot {
			t.Errorf("an event of slot %d", slot)
		}
		if n, err := p.wait(0); n != 0 || err != nil {
			t.Errorf("%d events, %v, and nothing has come", n, err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.wake()
	}()
	if n, err := p.wait(int64(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
	<-done
}

// openPoller returns a poller that is closed when the test ends.
func openPoller(t *testing.T) *poller {
	t.Helper()
	watchLeaks(t)
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// Messages that are due are counted, however many.
func TestWaiting(t *testing.T) {
	second := int64(time.Second)
	for _, tt := range []struct {
		schedule    Schedule
		limit       int64
		number, all int
		claims      int64
		from, want  int64
	}{
		{nil, 0, 0, 1, 0, second, 0},
		{Schedule{{From: 1e6, To: 1e6}}, 0, 0, 1, 0, 10 * second, 1e7},
		{Schedule{{From: 1e6, To: 1e6}}, 0, 1, 4, 100, 10 * second, 25e5 - 100},
		{Schedule{{From: 1e6, To: 1e6}}, 50, 0, 1, 20, 10 * second, 30},
		{Schedule{{From: 10, To: 10, For: time.Second}}, 0, 0, 1, 4, 10 * second, 6},
		{Schedule{{From: 10, To: 10, For: time.Second}}, 0, 0, 1, 10, 10 * second, 0},
		{Schedule{{From: 1e-9, To: 1e-9}}, 0, 0, 1, 0, 10 * second, 1},
		{Schedule{{From: 1e-9, To: 1e-9}}, 0, 0, 1, 1e12, 10 * second, 0},
	} {
		r := &runner{cfg: Config{Messages: tt.limit, Workers: tt.all}}
		r.measuring.Store(true)
		w := &worker{run: r, number: tt.number, schedule: tt.schedule, claims: tt.claims}
		w.base = time.Now().Add(-time.Duration(tt.from))
		got := w.waiting()
		if slack := tt.want / 10; got < tt.want || got > tt.want+slack || w.claims != tt.claims {
			t.Errorf("%v: %d messages wait, want %d", tt.schedule, got, tt.want)
		}
	}
}

// Messages that are due shortly one after the other wait for each other.
func TestGather(t *testing.T) {
	const µs = int64(time.Microsecond)
	for _, tt := range []struct {
		schedule     Schedule
		all          int
		claims, want int64
	}{
		{nil, 1, 0, 0},
		{Schedule{{From: 1e3, To: 1e3}}, 1, 7, 0},
		{Schedule{{From: 2e4, To: 2e4}}, 1, 7, 0},
		{Schedule{{From: 1e5, To: 1e5}}, 1, 7, 40 * µs},
		{Schedule{{From: 1e5, To: 1e5}}, 4, 7, 10 * µs},
		{Schedule{{From: 1e5, To: 1e5, For: time.Second}}, 1, 1e5 - 1, 0}, // the last one
	} {
		w := &worker{run: &runner{cfg: Config{Workers: tt.all}}, schedule: tt.schedule, claims: tt.claims}
		at, _ := w.upcoming()
		if got := w.gather(at); got != tt.want || w.claims != tt.claims {
			t.Errorf("%v, %d workers: waits for %d ns, want %d", tt.schedule, tt.all, got, tt.want)
		}
	}
}
