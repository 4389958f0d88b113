package load

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A meter makes a [Result] of what the workers see.
type meter struct {
	r            *runner
	server, self process
	merged       *hdrhistogram.Histogram
	result       Result
	before       struct{ server, self processTime } // when what is measured began
	serverTime   time.Duration                      // that the server had used at the last tick
	last         time.Time                          // of the last tick
	lastTotals   totals
	total        int64 // messages so far
	waiting      int64 // messages that were due when the run was stopped
}

// totals are counts that only grow.
type totals struct{ messages, failures int64 }

func newMeter(r *runner) *meter {
	m := &meter{r: r, merged: hdrhistogram.New(1, longestTime, intervalDigits), self: ownProcess()}
	if r.cfg.PID > 0 {
		m.server = openProcess(r.cfg.PID)
	}
	m.result.Machine = thisMachine()
	m.begin()
	return m
}

// begin begins to measure.
func (m *meter) begin() {
	m.last = time.Now()
	m.result.Started, m.result.Series = m.last, nil
	m.lastTotals, m.total = totals{}, 0
	m.before.server, m.before.self = m.server.time(), m.self.time()
	m.serverTime = m.before.server.all
}

// tick ends an interval.
func (m *meter) tick(done float64) Progress {
	now := time.Now()
	i := Interval{At: now.Sub(m.result.Started), Length: now.Sub(m.last)}
	var sum totals
	m.merged.Reset()
	for _, w := range m.r.workers {
		w.mu.Lock()
		sum.messages += w.stats.counts.Messages
		sum.failures += w.stats.failures
		i.InFlight += w.inFlight
		if !m.r.stopping.Load() {
			i.Waiting += w.waiting()
		}
		m.merged.Merge(w.stats.interval)
		w.stats.interval.Reset()
		w.mu.Unlock()
	}
	i.Messages, i.Errors = sum.messages-m.lastTotals.messages, sum.failures-m.lastTotals.failures
	i.P50 = time.Duration(m.merged.ValueAtQuantile(50))
	i.P99 = time.Duration(m.merged.ValueAtQuantile(99))
	i.Max = time.Duration(m.merged.Max())
	if used := m.server.time().all; used > 0 {
		i.Server = float64(used-m.serverTime) / float64(max(i.Length, 1))
		m.serverTime = used
	}
	m.last, m.lastTotals, m.total = now, sum, sum.messages
	m.result.Series = append(m.result.Series, i)
	return Progress{Interval: i, Done: done, Total: sum.messages, Failed: sum.failures}
}

// finish returns the result.
func (m *meter) finish() *Result {
	r := &m.result
	r.Elapsed = m.last.Sub(r.Started)
	r.Agreed = m.r.dialogs.agreed()
	r.Settings = m.r.cfg.settings()
	r.Verdicts, r.Errors = map[string]int64{}, map[string]int64{}
	r.Latencies = make([]Latency, places)
	slept := time.Duration(0)
	for i := range r.Latencies {
		r.Latencies[i].Name = latencyName(i)
	}
	for _, w := range m.r.workers {
		w.mu.Lock()
		w.stats.add(r)
		slept += time.Duration(w.slept.Load())
		w.mu.Unlock()
	}
	r.Latencies = slices.DeleteFunc(r.Latencies, func(l Latency) bool { return l.Hist.TotalCount() == 0 })
	slices.SortStableFunc(r.Samples, func(a, b ErrorSample) int { return int(a.At - b.At) })
	r.Samples = r.Samples[:min(len(r.Samples), maxSamples)]
	r.Generator = m.self.usage(m.before.self, r.Elapsed)
	if u := m.server.usage(m.before.server, r.Elapsed); u.Memory > 0 {
		r.Server = &u
	}
	r.Warnings = m.warnings(slept)
	return r
}

// busyLimit is the part of its time that the generator may work before it is taken
// to have been the limit.
const busyLimit = 0.9

// lateShare is the part of the messages, as one in so many, that may be due at the end
// and not sent before that is worth a word.
const lateShare = 100

// warnings says why the numbers may not be what they seem.
func (m *meter) warnings(slept time.Duration) (list []string) {
	r, c := &m.result, &m.r.cfg
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if all := r.Elapsed * time.Duration(c.Workers); all > 0 && c.Connections > 0 {
		if busy := 1 - float64(slept)/float64(all); busy > busyLimit {
			warn("the generator was busy %.0f %% of the time and may have been the limit itself: "+
				"with more workers on more CPUs the milter may do better", 100*busy)
		}
	}
	if c.Workers > runtime.GOMAXPROCS(0) {
		warn("%d workers share %d CPUs", c.Workers, runtime.GOMAXPROCS(0))
	}
	if m.waiting > r.Counts.Messages/lateShare { // the last moment is always cut off
		warn("%d messages were due and never sent, as no session was free: allow more connections, or the rate is too high for the milter", m.waiting)
	}
	if n := m.r.unanswered.Load(); n > 0 {
		warn("%d messages were under way when the run was cut: their answers are not known", n)
	}
	if r.Idle != nil && r.Idle.Sessions < c.Idle {
		warn("only %d of %d idle sessions were open when the messages began", r.Idle.Sessions, c.Idle)
	}
	switch {
	case c.PID == 0 || r.Server != nil:
	case m.server.known():
		warn("process %d has ended: what it used is not known", c.PID)
	default:
		warn("process %d cannot be looked at: its CPU time and memory are not known", c.PID)
	}
	return list
}

// settings returns how a run was set up.
func (c *Config) settings() (list []Setting) {
	add := func(name, format string, args ...any) {
		list = append(list, Setting{name, fmt.Sprintf(format, args...)})
	}
	add("milter", "%s", c.Address)
	add("MTA", "%v", c.Dialect)
	loop := "closed"
	if c.Rate != nil {
		loop = "open, " + c.Rate.String() + " messages a second"
	}
	add("loop", "%s", loop)
	add("connections", "%d", c.Connections)
	if c.Reuse > 0 {
		add("messages per connection", "%d", c.Reuse)
	}
	add("mails", "%d", len(c.Mails))
	for _, limit := range []struct {
		name  string
		value time.Duration
	}{{"duration", c.Duration}, {"warm-up", c.WarmUp}, {"think time", c.Think}, {"time-out", c.Timeout}} {
		if limit.value > 0 {
			add(limit.name, "%v", limit.value)
		}
	}
	if c.Messages > 0 {
		add("messages", "%d", c.Messages)
	}
	if ch := c.Chaos; ch != (Chaos{}) {
		add("chaos", "abort %.3g %%, reset %.3g %%, unknown %.3g %%, slow reader %.3g %%",
			100*ch.Abort, 100*ch.Reset, 100*ch.Unknown, 100*ch.SlowRead)
	}
	if c.Idle > 0 {
		add("idle sessions", "%d", c.Idle)
	}
	add("workers", "%d", c.Workers)
	add("seed", "%d", c.Seed)
	return list
}
