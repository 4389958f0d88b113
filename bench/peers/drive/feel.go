package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"millstream/bench/load"
)

// A feel is what one measurement of normal messages has shown: microseconds, the part
// of its time that the server was busy, and megabytes a second of the neighbour.
type feel struct{ p50, p99, busy, neighbour float64 }

func newFeel(r *load.Result) feel {
	return feel{p50: quantile(r, 50), p99: quantile(r, 99), busy: r.Server.CPUs}
}

// besides measures all scenarios in turn, and prints them.
func (s *series) besides(ctx context.Context, u setup, kind string, rate float64) error {
	feels := make([][]feel, len(scenarios))
	t := trial{setup: u, load: load.Config{
		Mails: usualMail(), Connections: s.connections, Rate: load.Schedule{{From: rate, To: rate}},
	}}
	for range s.rounds {
		for i, c := range scenarios {
			one, err := s.feel(ctx, &t, c, kind)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			feels[i] = append(feels[i], one)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprint(w, "| neighbour\t p50, µs\t p99, µs\t p50 to alone\t p99 to alone\t server busy\t neighbour, MB/s\t\n|---\t---\t---\t---\t---\t---\t---\t\n")
	for i, c := range scenarios {
		of := func(value func(feel) float64) (median float64, change string) {
			var ratios []float64
			for round, f := range feels[i] {
				ratios = append(ratios, value(f)/value(feels[0][round]))
			}
			return medianOf(feels[i], value), percent(ratios)
		}
		p50, change50 := of(func(f feel) float64 { return f.p50 })
		p99, change99 := of(func(f feel) float64 { return f.p99 })
		fmt.Fprintf(w, "| %s\t %.0f\t %.0f\t %s\t %s\t %.0f %%\t %.1f\t\n", c.name, p50, p99, change50, change99,
			100*medianOf(feels[i], func(f feel) float64 { return f.busy }),
			medianOf(feels[i], func(f feel) float64 { return f.neighbour }))
	}
	w.Flush()
	fmt.Println()
	return nil
}

// percent returns the change that the median of some ratios is.
func percent(ratios []float64) string { return fmt.Sprintf("%+.0f %%", 100*(median(ratios)-1)) }

// feel measures one scenario.
func (s *series) feel(ctx context.Context, t *trial, c scenario, kind string) (f feel, err error) {
	v, err := s.start(t.setup)
	if err != nil {
		return f, err
	}
	defer v.stop()
	if !c.neighbour {
		return s.normal(ctx, v, t)
	}
	of := v
	if c.apart != nil {
		u := t.setup
		u.at = *c.apart
		if of, err = s.start(u); err != nil {
			return f, err
		}
		defer of.stop()
	}
	n, err := newNeighbour(kind, of.socket)
	if err != nil {
		return f, err
	}
	before, begun := n.sent(), time.Now()
	f, err = s.normal(ctx, v, t)
	f.neighbour = (n.sent() - before) / 1e6 / time.Since(begun).Seconds()
	return f, errors.Join(err, n.stop())
}

// normal measures normal messages.
func (s *series) normal(ctx context.Context, v *server, t *trial) (feel, error) {
	t.load.Duration, t.load.WarmUp = s.time, s.time/4
	r, err := v.run(ctx, t.load)
	if err != nil {
		return feel{}, err
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(os.Stderr, warning)
	}
	return newFeel(r), nil
}
