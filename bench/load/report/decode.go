package report

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/bench/load"
	"millstream/protocol"
)

// result returns the run that was written.
func (run *runJSON) result() (*load.Result, error) {
	m := &run.Machine
	r := &load.Result{
		Started: run.Started,
		Elapsed: duration(run.Elapsed, time.Second),
		Machine: load.Machine{OS: m.OS, Arch: m.Arch, CPU: m.CPU, Go: m.Go, CPUs: m.CPUs},
		Agreed: protocol.Options{
			Version: run.Agreed.Version,
			Actions: protocol.Actions(run.Agreed.Actions),
			Steps:   protocol.Steps(run.Agreed.Steps),
		},
		Counts:    load.Counts(run.Counts),
		Verdicts:  filled(run.Verdicts),
		Errors:    filled(run.Errors),
		Generator: run.Generator.usage(),
		Warnings:  run.Warnings,
	}
	for _, s := range run.Settings {
		r.Settings = append(r.Settings, load.Setting(s))
	}
	for _, s := range run.Samples {
		r.Samples = append(r.Samples, load.ErrorSample{At: duration(s.At, time.Second), Kind: s.Kind, Text: s.Text})
	}
	for i := range run.Series {
		r.Series = append(r.Series, run.Series[i].interval())
	}
	if run.Server != nil {
		u := run.Server.usage()
		r.Server = &u
	}
	if i := run.Idle; i != nil {
		r.Idle = &load.Idle{Sessions: i.Sessions, Before: i.Before, After: i.After}
	}
	for _, l := range run.Latencies {
		h, err := hdrhistogram.Decode([]byte(l.Hist))
		if err != nil {
			return nil, fmt.Errorf("the histogram of %q: %w", l.Name, err)
		}
		r.Latencies = append(r.Latencies, load.Latency{Name: l.Name, Hist: h})
	}
	return r, nil
}

func (i *intervalJSON) interval() load.Interval {
	return load.Interval{
		At: duration(i.At, time.Second), Length: duration(i.Length, time.Second),
		Messages: i.Messages, Errors: i.Errors, InFlight: i.InFlight, Waiting: i.Waiting,
		P50: duration(i.P50, time.Microsecond), P99: duration(i.P99, time.Microsecond),
		Max: duration(i.Max, time.Microsecond), Server: i.Server,
	}
}

func (u *usageJSON) usage() load.Usage {
	return load.Usage{
		PID: u.PID, CPU: duration(u.CPU, time.Second), User: duration(u.User, time.Second),
		Memory: u.Memory, Peak: u.Peak, CPUs: u.CPUs,
	}
}
