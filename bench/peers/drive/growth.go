package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"millstream/bench/load"
	"millstream/bench/load/report"
)

// A dimension is something that there can be more and more of.
type dimension struct {
	name, unit string
	shapes     [metrics]shape // how a metric may grow at most
	points     []point
}

// A point is a place in a dimension.
type point struct {
	n float64
	trial
}

// A shape is how a metric may grow.
type shape int

const (
	linear shape = iota
	level        // not at all
)

// The metrics of a message, in microseconds.
const (
	cpu = iota
	p99
	metrics
)

var metricNames = [metrics]string{"CPU of the server for a message, µs", "latency of 99 % of the messages, µs"}

// dimensions returns what is measured. In a closed loop with twice the sessions each
// waits twice as long, whatever the server does: only the CPU time stays level.
func (s *series) dimensions() []dimension {
	list := []dimension{
		{name: "busy sessions", unit: "sessions, all busy", shapes: [metrics]shape{cpu: level}},
		{name: "body", unit: fmt.Sprintf("bytes of body, %d sessions", bodySessions)},
		{name: "headers", unit: "headers"},
		{name: "handlers", unit: "handlers in the chain"},
		{name: "idle sessions", unit: fmt.Sprintf("sessions, %d of them busy", s.connections), shapes: [metrics]shape{level, level}},
	}
	add := func(d int, n float64, cfg load.Config, args ...string) {
		if cfg.Mails == nil {
			cfg.Mails = usualMail()
		}
		if cfg.Connections == 0 {
			cfg.Connections = s.connections
		}
		if s.stream {
			args = append(args, "-stream")
		}
		list[d].points = append(list[d].points, point{n, trial{setup{peer: ours, at: serverPlace, args: args}, cfg}})
	}
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		add(0, float64(n), load.Config{Connections: n})
	}
	for i, size := range []string{"1KiB", "10KiB", "100KiB", "1MiB", "10MiB"} {
		bytes := []float64{1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20}[i]
		add(1, bytes, load.Config{Connections: bodySessions, Mails: mail(usualHeaders, size, "")})
	}
	for _, n := range []int{10, 30, 100, 300, 1000} {
		add(2, float64(n), load.Config{Mails: mail(n, usualBody, "")})
	}
	for _, n := range []int{1, 2, 5, 10, 20, 50} {
		add(3, float64(n), load.Config{}, "-handlers", strconv.Itoa(n))
	}
	for _, n := range []int{0, 100, 1000, 10000} {
		add(4, float64(s.connections+n), load.Config{Idle: n})
	}
	return list
}

// bodySessions is fewer than usual: the time in which each has its turns with the
// greatest body is to be seconds.
const bodySessions = 10

// growth measures dimensions, prints them, and writes them to a file.
func (s *series) growth(ctx context.Context, path, only string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	var plots []report.Growth
	for _, d := range s.dimensions() {
		if !strings.Contains(d.name, only) {
			continue
		}
		d.points = reachable(d)
		values, err := s.measureGrowth(ctx, &d)
		if err != nil {
			return err
		}
		d.print(values)
		plots = append(plots, d.plots(values)...)
	}
	if err := report.HTMLGrowth(out, "How the cost of a message grows", plots...); err != nil {
		return err
	}
	fmt.Printf("plots are in %s\n", path)
	return out.Close()
}

// reachable returns the points for which a process may have enough files open. Go
// programs raise the soft limit to the hard one by themselves.
func reachable(d dimension) (list []point) {
	const spare = 100
	var limit unix.Rlimit
	known := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil
	for _, p := range d.points {
		if need := p.load.Connections + p.load.Idle + spare; known && uint64(need) > limit.Max {
			fmt.Printf("%s: %.0f is left out: it takes %d open files, and the hard limit is %d\n\n", d.name, p.n, need, limit.Max)
			continue
		}
		list = append(list, p)
	}
	return list
}

// measureGrowth returns the values of the metrics at each point: medians of rounds,
// in which the points take turns.
func (s *series) measureGrowth(ctx context.Context, d *dimension) (values [metrics][]float64, err error) {
	rounds := make([][metrics][]float64, len(d.points))
	for range s.rounds {
		for i := range d.points {
			r, err := s.try(ctx, &d.points[i].trial)
			if err != nil {
				return values, fmt.Errorf("%s, %.0f: %w", d.name, d.points[i].n, err)
			}
			rounds[i][cpu] = append(rounds[i][cpu], perMessage(r, r.Server.CPU))
			rounds[i][p99] = append(rounds[i][p99], quantile(r, 99))
		}
	}
	for _, round := range rounds {
		for m := range metrics {
			values[m] = append(values[m], median(round[m]))
		}
	}
	return values, nil
}
