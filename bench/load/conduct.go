package load

import (
	"context"
	"sync"
	"time"
)

const (
	interval    = time.Second
	idleLook    = 50 * time.Millisecond // how often is looked whether idle sessions are open
	idleSettle  = time.Second           // after which their memory is measured
	cutAfterEnd = time.Second           // for what is under way when the context ends
)

// run conducts the workers.
func (r *runner) run(ctx context.Context, progress func(Progress)) (*Result, error) {
	defer r.close()
	m := newMeter(r)
	var all sync.WaitGroup
	for _, w := range r.workers {
		all.Go(w.loop)
	}
	go func() { all.Wait(); close(r.ended) }()

	before := func(p Progress) {
		p.WarmUp, p.Done = true, -1
		progress(p)
	}
	r.openIdle(ctx, m, before)
	if r.cfg.WarmUp > 0 && ctx.Err() == nil {
		r.open(r.cfg.Connections, false)
		r.wait(ctx, r.cfg.WarmUp, m, before)
		r.measure(m)
	} else {
		r.measure(m)
		if ctx.Err() == nil {
			r.open(r.cfg.Connections, false)
		}
	}
	r.begun.Store(true)
	r.wake()
	if r.cfg.Connections > 0 || r.cfg.Duration > 0 {
		r.wait(ctx, r.cfg.Duration, m, progress)
	}
	r.stop(ctx, m, progress)
	return m.finish(), r.err(ctx)
}

// measure begins to measure, with all workers at once. If the run is over already, its
// errors are what there is to show.
func (r *runner) measure(m *meter) {
	if r.cut.Load() {
		return
	}
	for _, w := range r.workers {
		w.mu.Lock()
		defer w.mu.Unlock()
	}
	r.measuring.Store(true)
	r.claimed.Store(0)
	for _, w := range r.workers {
		w.measure(r.cfg.Rate)
	}
	r.wake() // to their new schedules
	m.begin()
}

// open gives each worker its part of some sessions.
func (r *runner) open(n int, holds bool) {
	for i, w := range r.workers {
		w.mu.Lock()
		part := (n + len(r.workers) - 1 - i) / len(r.workers)
		if warm := r.warmUp(); !holds && warm != nil && !r.measuring.Load() {
			w.schedule, w.from = warm, int64(time.Since(w.base))
		}
		w.add(part, holds)
		w.mu.Unlock()
	}
	r.wake() // to the first message that is due
}

// warmUp returns the schedule before the measurement: that which it begins with.
func (r *runner) warmUp() Schedule {
	if r.cfg.Rate == nil {
		return nil
	}
	first := r.cfg.Rate[0]
	rate := first.From
	if rate == 0 {
		rate = first.To
	}
	return Schedule{{From: rate, To: rate}}
}

// openIdle opens the idle sessions and measures them. A milter that takes no more of
// them for the length of a time-out has all that it will take.
func (r *runner) openIdle(ctx context.Context, m *meter, progress func(Progress)) {
	if r.cfg.Idle == 0 {
		return
	}
	m.result.Idle = &Idle{Sessions: r.cfg.Idle, Before: m.server.memory()}
	r.open(r.cfg.Idle, true)
	look := time.NewTicker(idleLook)
	defer look.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	most, grew := 0, time.Now()
	for settled := time.Duration(0); settled < idleSettle; {
		select {
		case <-ctx.Done():
			settled = idleSettle
		case <-r.ended:
			settled = idleSettle
		case <-tick.C:
			progress(m.tick(-1))
		case <-look.C:
			held := int(r.holding.Load())
			if held > most {
				most, grew = held, time.Now()
			}
			if held >= r.cfg.Idle || time.Since(grew) > r.cfg.Timeout {
				settled += idleLook
			}
		}
	}
	m.result.Idle.Sessions, m.result.Idle.After = int(r.holding.Load()), m.server.memory()
}

// wait lets the workers work for a time, or, if that is 0, until they have ended.
func (r *runner) wait(ctx context.Context, d time.Duration, m *meter, progress func(Progress)) {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for begun := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-r.ended:
			return
		case <-over:
			return
		case <-tick.C:
			progress(m.tick(r.done(time.Since(begun), m)))
		}
	}
}

// done returns how much of the run is done; below 0 if it has no end.
func (r *runner) done(elapsed time.Duration, m *meter) float64 {
	done := -1.0
	if n := r.cfg.Messages; n > 0 {
		done = float64(m.total) / float64(n)
	}
	for _, all := range []time.Duration{r.cfg.Duration, r.cfg.Rate.Length()} {
		if all > 0 {
			done = max(done, float64(elapsed)/float64(all))
		}
	}
	return min(done, 1)
}

// stop ends the run: nothing new begins, and what is under way has a while to end.
func (r *runner) stop(ctx context.Context, m *meter, progress func(Progress)) {
	m.waiting = r.waiting()
	r.stopping.Store(true)
	r.wake()
	patience := r.cfg.Timeout + r.cfg.thinking() + cutAfterEnd
	if ctx.Err() != nil {
		patience = cutAfterEnd
	}
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ended := ctx.Done(); ; {
		select {
		case <-r.ended:
			progress(m.tick(1))
			return
		case <-ended:
			ended = nil
			end.Reset(cutAfterEnd)
		case <-end.C:
			r.cut.Store(true)
			r.wake()
		case <-tick.C:
			progress(m.tick(1))
		}
	}
}

// waiting returns how many messages are due that no session was free for.
func (r *runner) waiting() (n int64) {
	for _, w := range r.workers {
		w.mu.Lock()
		n += w.waiting()
		w.mu.Unlock()
	}
	return n
}
