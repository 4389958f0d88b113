package report

import (
	"time"

	"millstream/bench/load"
)

// newRun returns the JSON of a run.
func newRun(r *load.Result) (*runJSON, error) {
	c, m := &r.Counts, &r.Machine
	out := &runJSON{
		Format:   format,
		Started:  r.Started.Round(0), // a wall clock
		Elapsed:  r.Elapsed.Seconds(),
		Settings: make([]settingJSON, 0, len(r.Settings)),
		Machine:  machineJSON{OS: m.OS, Arch: m.Arch, CPU: m.CPU, CPUs: m.CPUs, Go: m.Go},
		Agreed:   optionsJSON{r.Agreed.Version, uint32(r.Agreed.Actions), uint32(r.Agreed.Steps)},
		Rates:    ratesJSON{r.Rate(c.Messages), r.Rate(c.Sessions), r.Rate(c.Sent), r.Rate(c.Received)},
		Counts:   countsJSON(*c),
		Verdicts: filled(r.Verdicts),
		Errors:   filled(r.Errors),
		Samples:  make([]sampleJSON, 0, len(r.Samples)),
		Series:   make([]intervalJSON, 0, len(r.Series)),
		Warnings: append([]string{}, r.Warnings...),
	}
	for _, s := range r.Settings {
		out.Settings = append(out.Settings, settingJSON(s))
	}
	for _, s := range r.Samples {
		out.Samples = append(out.Samples, sampleJSON{s.At.Seconds(), s.Kind, s.Text})
	}
	for i := range r.Series {
		out.Series = append(out.Series, newInterval(&r.Series[i]))
	}
	out.Generator = newUsage(&r.Generator, c.Messages)
	if r.Server != nil {
		u := newUsage(r.Server, c.Messages)
		out.Server = &u
	}
	if i := r.Idle; i != nil {
		out.Idle = &idleJSON{i.Sessions, i.Before, i.After, i.PerSession()}
	}
	return out, out.addLatencies(r.Latencies)
}

func (run *runJSON) addLatencies(latencies []load.Latency) error {
	run.Latencies = make([]latencyJSON, 0, len(latencies))
	for i := range latencies {
		l := &latencies[i]
		if l.Hist == nil {
			continue
		}
		encoded, err := l.Hist.EncodeV2()
		if err != nil {
			return err
		}
		run.Latencies = append(run.Latencies, latencyJSON{
			Name: l.Name, Count: l.Hist.TotalCount(),
			Min: micros(time.Duration(l.Hist.Min())), Mean: orZero(l.Hist.Mean() / 1e3),
			P50: micros(l.Quantile(50)), P90: micros(l.Quantile(90)), P99: micros(l.Quantile(99)),
			P999: micros(l.Quantile(99.9)), Max: micros(l.Quantile(100)),
			Hist: string(encoded),
		})
	}
	return nil
}

// filled returns a map that is written as {} rather than as null.
func filled(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

func newInterval(i *load.Interval) intervalJSON {
	return intervalJSON{
		At: i.At.Seconds(), Length: i.Length.Seconds(),
		Messages: i.Messages, Errors: i.Errors, InFlight: i.InFlight, Waiting: i.Waiting,
		P50: micros(i.P50), P99: micros(i.P99), Max: micros(i.Max), Server: orZero(i.Server),
	}
}

func newUsage(u *load.Usage, messages int64) usageJSON {
	return usageJSON{
		PID: u.PID, CPU: u.CPU.Seconds(), User: u.User.Seconds(),
		Each: orZero(per(micros(u.CPU), float64(messages))), CPUs: orZero(u.CPUs),
		Memory: u.Memory, Peak: u.Peak,
	}
}
