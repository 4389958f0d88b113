package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"millstream/bench/load"
)

// A feel is what a second of normal messages has shown: microseconds, and the part of its
// time that the server was busy.
type feel struct{ p50, p99, busy float64 }

func newFeel(r *load.Result) feel {
	return feel{p50: quantile(r, 50), p99: quantile(r, 99), busy: r.Server.CPUs}
}

// A pair is a second without the neighbour, and the next one with it.
type pair struct{ alone, beside feel }

// besides measures all scenarios, and prints them.
func (s *series) besides(ctx context.Context, u setup, kind string, rate float64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprint(w, "| neighbour\t p50, µs, alone\t with it\t change (middle half)\t p99, µs, alone\t with it\t change (middle half)\t server busy\t MB/s\t\n|---\t---\t---\t---\t---\t---\t---\t---\t---\t\n")
	t := trial{setup: u, load: load.Config{
		Mails: usualMail(), Connections: s.connections, Rate: load.Schedule{{From: rate, To: rate}},
	}}
	for _, c := range scenarios {
		pairs, sent, err := s.feel(ctx, &t, c, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Fprintf(w, "| %s", c.name)
		for _, of := range []func(feel) float64{func(f feel) float64 { return f.p50 }, func(f feel) float64 { return f.p99 }} {
			fmt.Fprintf(w, "\t %.0f\t %.0f\t %s", medianOf(pairs, func(p pair) float64 { return of(p.alone) }),
				medianOf(pairs, func(p pair) float64 { return of(p.beside) }), change(pairs, of))
		}
		fmt.Fprintf(w, "\t %.0f %%\t %.0f\t\n", 100*medianOf(pairs, func(p pair) float64 { return p.beside.busy }), sent)
	}
	w.Flush()
	fmt.Println()
	return nil
}

// change returns by how much a neighbour changes something: the median, and between what
// half of the pairs are.
func change(pairs []pair, of func(feel) float64) string {
	var percents []float64
	for _, p := range pairs {
		percents = append(percents, 100*(of(p.beside)/of(p.alone)-1))
	}
	slices.Sort(percents)
	n := len(percents)
	return fmt.Sprintf("%+.0f %% (%+.0f to %+.0f)", percents[n/2], percents[n/4], percents[n-1-n/4])
}

// feel measures one scenario: a second without the neighbour, a second with it, and so on,
// for what the machine itself does to latencies to be the same with and without. It
// returns also how many megabytes a second the neighbour has sent.
func (s *series) feel(ctx context.Context, t *trial, c scenario, kind string) (pairs []pair, sent float64, err error) {
	v, err := s.start(t.setup)
	if err != nil {
		return nil, 0, err
	}
	defer v.stop()
	of := v
	if c.apart != nil {
		u := t.setup
		u.at = *c.apart
		if of, err = s.start(u); err != nil {
			return nil, 0, err
		}
		defer of.stop()
	}
	n, err := newNeighbour(kind, of.socket)
	if err != nil {
		return nil, 0, err
	}
	n.pause(true)
	before := n.sent()
	pairs, err = s.alternate(ctx, v, t, n)
	sent = (n.sent() - before) / 1e6 / max(1, float64(len(pairs)))
	n.pause(false)
	return pairs, sent, errors.Join(err, n.stop())
}

// skipped are the seconds in which a load begins.
const skipped = 2

// alternate measures normal messages in so many pairs of seconds as there are rounds,
// beside a neighbour that rests in every first one.
func (s *series) alternate(ctx context.Context, v *server, t *trial, n *neighbour) (pairs []pair, err error) {
	t.load.WarmUp, t.load.Duration = 0, time.Duration(skipped+2*s.rounds)*time.Second
	seconds := 0
	var p pair
	r, err := v.run(ctx, t.load, func(now load.Progress) {
		f := feel{micros(now.P50), micros(now.P99), now.Server}
		seconds++
		switch after := seconds - skipped; {
		case after <= 0:
		case after%2 == 1:
			p.alone = f
			n.pause(false)
		default:
			p.beside = f
			pairs = append(pairs, p)
			n.pause(true)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(os.Stderr, warning)
	}
	if len(pairs) == 0 {
		return nil, errors.New("no second was measured")
	}
	return pairs, nil
}

// pause has a neighbour rest, or go on.
func (n *neighbour) pause(yes bool) {
	signal := unix.SIGCONT
	if yes {
		signal = unix.SIGSTOP
	}
	_ = n.cmd.Process.Signal(signal)
}
