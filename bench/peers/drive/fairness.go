package main

import (
	"context"
	"fmt"

	"millstream/bench/load"
)

// How a neighbour is measured
//
// Normal messages come at a third of the rate at which the server can take them, in an
// open loop: the latency of each counts from the moment it was due, so that what waits
// behind a neighbour shows. The server has a CPU for itself, and the load the other. With
// many more messages they would wait for the load, whose CPU is the busier one.
//
// A neighbour needs both CPUs too: someone must send what it sends. So its load is a
// process of its own, to which the kernel gives the CPU of the load only while the
// load does not want it (SCHED_IDLE), and it is under way before anything is measured.
// In one process with the load, or with the same right to the CPU, it would be the
// kernel that has normal messages wait for milliseconds before they are sent.
//
// It rests in every other second: the latencies of a machine that is shared with others
// move by more from minute to minute than by a neighbour. For the same reason server and
// load take the CPU from all other programs, if they may (SCHED_FIFO): one in a hundred
// messages would else be one that waited for a program that has nothing to do with it.
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

// A mode is a way of answering.
type mode struct {
	name string
	args []string
}

var modes = []mode{{name: "lock step"}, {"no reply", []string{"-stream"}}}

// setup returns how a server is started that lets slowSender wait.
func (m *mode) setup() setup {
	return setup{peer: ours, at: serverPlace, args: append([]string{"-slow", slowSender}, m.args...)}
}

// fairness measures what sessions do to each other.
func (s *series) fairness(ctx context.Context) error {
	if err := s.crowd(ctx); err != nil {
		return err
	}
	var rates []float64
	for _, mode := range modes {
		rate, err := s.closedRate(ctx, mode.setup())
		if err != nil {
			return err
		}
		rates = append(rates, rate/3)
	}
	fmt.Printf("server and load before all other programs: %v\n\n", goFirst())
	for i, mode := range modes {
		for _, kind := range []string{heavy, slow} {
			fmt.Printf("%s, %.0f messages a second, neighbour: %s\n\n", mode.name, rates[i], neighbourNames[kind])
			if err := s.besides(ctx, mode.setup(), kind, rates[i]); err != nil {
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

// closedRate returns how many messages a second a server takes in a closed loop.
func (s *series) closedRate(ctx context.Context, u setup) (float64, error) {
	t := trial{setup: u, load: load.Config{Mails: usualMail(), Connections: s.connections}}
	var rates []float64
	for range s.rounds {
		r, err := s.try(ctx, &t)
		if err != nil {
			return 0, err
		}
		rates = append(rates, r.Rate(r.Counts.Messages))
	}
	return median(rates), nil
}
