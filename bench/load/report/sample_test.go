package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/bench/load"
	"millstream/protocol"
)

// hostile is what somebody may call a run, or answer in an error.
const hostile = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{.}} \x1b[31m\u202e&amp;"

// histogram returns one with n values around a median, with a long tail.
func histogram(t testing.TB, n int, median time.Duration, seed uint64) *hdrhistogram.Histogram {
	t.Helper()
	h := hdrhistogram.New(1, int64(time.Minute), 3)
	random := rand.New(rand.NewPCG(seed, 1))
	for range n {
		v := float64(median) * math.Exp(random.NormFloat64()*0.4+math.Pow(random.Float64(), 40)*3)
		if err := h.RecordValue(int64(v)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// sample returns a run of many seconds with something in every field. slower is how
// many times its latencies are those of a plain one.
func sample(t testing.TB, seconds int, slower float64) *load.Result {
	t.Helper()
	median := func(d time.Duration) time.Duration { return time.Duration(float64(d) * slower) }
	seed := uint64(seconds) + uint64(slower*100)
	random := rand.New(rand.NewPCG(seed, 2))
	r := &load.Result{
		Started:  time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC),
		Elapsed:  time.Duration(seconds) * time.Second,
		Settings: []load.Setting{{Name: "connections", Value: "100"}, {Name: "loop", Value: "closed"}, {Name: "mails", Value: "generated, 4 kB to 64 kB"}},
		Machine:  load.Machine{OS: "linux", Arch: "amd64", CPU: "Some CPU 9000", Go: "go1.26", CPUs: 8},
		Agreed:   protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepNoHelo},
		Verdicts: map[string]int64{"accept": 9000, "reject": 900, "tempfail": 100},
		Errors:   map[string]int64{load.ErrorTimeout: 7, load.ErrorLost: 2},
		Samples: []load.ErrorSample{
			{At: 1500 * time.Millisecond, Kind: load.ErrorTimeout, Text: "no answer to end-of-message in 30s"},
			{At: 2 * time.Second, Kind: load.ErrorLost, Text: "read tcp 127.0.0.1:1: connection reset by peer"},
		},
		Generator: load.Usage{PID: 10, CPU: 12 * time.Second, User: 9 * time.Second, Memory: 41e6, Peak: 52e6, CPUs: 0.4},
		Server:    &load.Usage{PID: 11, CPU: 31 * time.Second, User: 20 * time.Second, Memory: 80e6, Peak: 95e6, CPUs: 1.1},
		Idle:      &load.Idle{Sessions: 1000, Before: 60e6, After: 68e6},
		Warnings:  []string{"the generator kept all its CPUs busy: the latencies have its own delays in them"},
	}
	for i := range seconds {
		in := load.Interval{
			At: time.Duration(i+1) * time.Second, Length: time.Second,
			Messages: int64((3000 + 400*math.Sin(float64(i)/4) + 100*random.Float64()) / slower),
			InFlight: 90 + random.Int64N(10), Waiting: int64(max(0, i-seconds/2)) * 3,
			P50: median(1200 * time.Microsecond), Server: 1 + 0.2*random.Float64(),
		}
		in.P50 += time.Duration(random.Int64N(200_000))
		in.P99 = in.P50*4 + time.Duration(random.Int64N(3_000_000))
		in.Max = 3 * in.P99
		if i%7 == 3 {
			in.Errors = int64(i % 5)
		}
		r.Counts.Messages += in.Messages
		r.Series = append(r.Series, in)
	}
	r.Counts = load.Counts{
		Messages: r.Counts.Messages, Sessions: 100, Sent: 20_000 * r.Counts.Messages, Received: 300 * r.Counts.Messages,
		Changes: 12, Refused: 3, Aborts: 5, Resets: 6, Unknown: 7, SlowReads: 8,
	}
	for i, name := range []string{
		load.MessageLatency, load.SessionLatency, "connect", "helo", "envelope-from", "envelope-recipient", "data",
		"header", "end-of-header", "body", "end-of-message",
	} {
		d := median(time.Duration(40*(1+i)) * time.Microsecond)
		if i == 0 {
			d = median(1300 * time.Microsecond)
		}
		r.Latencies = append(r.Latencies, load.Latency{Name: name, Hist: histogram(t, 12_000, d, seed+uint64(i))})
	}
	return r
}

// named gives a run a name.
func named(r *load.Result, name string) *load.Result {
	r.Settings = append(r.Settings, load.Setting{Name: NameSetting, Value: name})
	return r
}

// oddities are runs that reports must not stumble over.
func oddities(t testing.TB) map[string]*load.Result {
	t.Helper()
	empty := hdrhistogram.New(1, int64(time.Minute), 3)
	broken := sample(t, 3, 1)
	broken.Server.CPUs = math.Inf(1)
	broken.Generator.CPUs = math.NaN()
	broken.Series[0].Server = math.NaN()
	broken.Series[1].Server = math.Inf(1)
	broken.Series[2].Length = 0
	wild := named(sample(t, 3, 1), hostile)
	wild.Settings = append(wild.Settings, load.Setting{Name: hostile, Value: hostile})
	wild.Machine.CPU = hostile
	wild.Verdicts[hostile] = 3
	wild.Errors[hostile] = 4
	wild.Samples = append(wild.Samples, load.ErrorSample{Kind: hostile, Text: hostile})
	wild.Warnings = append(wild.Warnings, hostile)
	wild.Latencies = append(wild.Latencies, load.Latency{Name: hostile, Hist: histogram(t, 3, time.Second, 1)})
	zeros := sample(t, 3, 1)
	zeros.Series = make([]load.Interval, 5)
	return map[string]*load.Result{
		"zero":          {},
		"no message":    {Elapsed: time.Second, Latencies: []load.Latency{{Name: load.MessageLatency, Hist: empty}}, Series: []load.Interval{{At: time.Second, Length: time.Second}}},
		"no histogram":  {Elapsed: time.Second, Latencies: []load.Latency{{Name: load.MessageLatency}, {Name: "body"}}},
		"one interval":  sample(t, 1, 1),
		"one message":   {Elapsed: time.Second, Counts: load.Counts{Messages: 1}, Latencies: []load.Latency{{Name: load.MessageLatency, Hist: histogram(t, 1, time.Millisecond, 1)}}},
		"not numbers":   broken,
		"hostile":       wild,
		"no time":       zeros,
		"long":          sample(t, 4000, 1),
		"idle, no PID":  {Idle: &load.Idle{Sessions: 10}},
		"shrunk":        {Idle: &load.Idle{Sessions: 10, Before: 20e6, After: 10e6}},
		"idle, nothing": {Idle: &load.Idle{}},
	}
}
