package main

import (
	"context"
	"fmt"

	"millstream/bench/load"
)

// How a neighbour is measured
//
// Normal messages come at half the rate at which the server can take them, in an open
// loop: the latency of each counts from the moment it was due, so that what waits
// behind a neighbour shows. The server has a CPU for itself, and the load the other.
//
// A neighbour needs both CPUs too: someone must send what it sends. So its load is a
// process of its own, to which the kernel gives the CPU of the load only while the
// load does not want it (SCHED_IDLE), and it is under way before anything is measured.
// In one process with the load, or with the same right to the CPU, it would be the
// kernel that has normal messages wait for milliseconds before they are sent.
//
// It rests in every other second: the latencies of a machine that is shared with others
// move by more from minute to minute than by a neighbour.
//
// What the neighbour does to the server is then told from what it does to the machine
// by three comparisons, each with as much load from the same process:
//
//	same server        what is asked: everything, in one event loop
//	server beside it   the neighbour has a server of its own on the CPU of the other
//	                   server, and the kernel shares the CPU between the two
//	other CPU          its server has what the load leaves of the other CPU: what is
//	                   then lost is lost by the load, the caches and the kernel
//
// So "same server" is what a user sees; what it is beyond "other CPU" is due to sharing
// a CPU; and what it is beyond "server beside it" is due to sharing an event loop, rather
// than to having to share a CPU at all.
type scenario struct {
	name  string
	apart *place // of a server of its own
}

var scenarios = []scenario{
	{name: "same server"},
	{name: "server beside it", apart: &serverPlace},
	{name: "other CPU", apart: &restPlace},
}

// modes are the ways of answering.
var modes = []struct {
	name string
	args []string
}{{name: "lock step"}, {"no reply", []string{"-stream"}}}

// fairness measures what sessions do to each other.
func (s *series) fairness(ctx context.Context) error {
	if err := s.crowd(ctx); err != nil {
		return err
	}
	for _, mode := range modes {
		u := setup{peer: ours, at: serverPlace, args: append([]string{"-slow", slowSender}, mode.args...)}
		rate, err := s.halfRate(ctx, u)
		if err != nil {
			return err
		}
		for _, kind := range []string{heavy, slow} {
			fmt.Printf("%s, %.0f messages a second, neighbour: %s\n\n", mode.name, rate, neighbourNames[kind])
			if err := s.besides(ctx, u, kind, rate); err != nil {
				return fmt.Errorf("%s, %s: %w", mode.name, kind, err)
			}
		}
	}
	return nil
}

var neighbourNames = map[string]string{
	heavy: "messages of 50 MiB in one session",
	slow:  "one session whose messages wait for a function that sleeps for 100 ms",
}

// halfRate returns half of the messages a second that a server takes in a closed loop.
func (s *series) halfRate(ctx context.Context, u setup) (float64, error) {
	t := trial{setup: u, load: load.Config{Mails: usualMail(), Connections: s.connections}}
	var rates []float64
	for range s.rounds {
		r, err := s.try(ctx, &t)
		if err != nil {
			return 0, err
		}
		rates = append(rates, r.Rate(r.Counts.Messages))
	}
	return median(rates) / 2, nil
}
