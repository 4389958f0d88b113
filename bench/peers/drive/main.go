// Command drive measures what a message costs the servers of package peers, and what
// an idle session does. Of our own it measures also how that cost grows, and what
// sessions do to each other.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// peers are the servers; ours is held against each of the others.
var peers = []string{ours, "libmilter", "gomilter", bare, bare + raw}

// The servers that more is known of: ours, and the one that does nothing but the system
// calls.
const (
	ours = "millstream"
	bare = "epoll"
)

// raw ends the name of a peer that is to make its system calls behind the back of
// Go's scheduler.
const raw = "-raw"

func main() {
	var s series
	var t task
	flag.StringVar(&s.bin, "bin", ".", "directory of the servers")
	flag.IntVar(&s.connections, "connections", 100, "connections at once")
	flag.DurationVar(&s.time, "time", time.Second, "how long each measurement lasts; those in pairs of -fairness last a second")
	flag.IntVar(&s.rounds, "rounds", 0, "measurements of each kind, interleaved; 0 is 7, or 3 with -growth and 11 with -fairness")
	flag.IntVar(&s.idle, "idle", 5000, "idle sessions")
	flag.BoolVar(&s.stream, "stream", false, "with -growth: nothing is answered before the end of a message")
	flag.StringVar(&t.only, "only", "", "measure only the cases, or with -growth the dimensions, with this in their name")
	flag.StringVar(&t.growth, "growth", "", "measure how the cost of a message grows, and plot it in this HTML `file`")
	flag.BoolVar(&t.fairness, "fairness", false, "measure what sessions do to each other")
	flag.BoolVar(&t.telemetry, "telemetry", false, "measure what traces and metrics cost")
	flag.StringVar(&t.neighbour, "neighbour", "", "used by -fairness: be a `kind` of load, at -at")
	flag.StringVar(&t.at, "at", "", "with -neighbour: the socket of the server")
	names := flag.String("peers", strings.Join(peers, ","), "servers to measure: names of programs in the directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s.peers = s.present(strings.Split(*names, ","))
	if err := t.do(ctx, &s); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		os.Exit(1)
	}
}

// A task is what is to be done: without a word, to compare the peers.
type task struct {
	only          string
	growth        string
	fairness      bool
	telemetry     bool
	neighbour, at string
}

func (t *task) do(ctx context.Context, s *series) error {
	if t.neighbour != "" {
		return beNeighbour(ctx, os.Stdout, t.neighbour, t.at)
	}
	if s.rounds == 0 {
		switch {
		case t.growth != "":
			s.rounds = 3
		case t.fairness:
			s.rounds = 11
		default:
			s.rounds = 7
		}
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.dir = dir
	apart := pin(loadPlace)
	fmt.Printf("%s, %d CPUs, %s; server and load on a CPU each: %v\n%d connections, median of %d rounds of %v each, interleaved\n\n",
		cpuModel(), runtime.NumCPU(), runtime.Version(), apart, s.connections, s.rounds, s.time)
	switch {
	case t.growth != "":
		return s.growth(ctx, t.growth, t.only)
	case t.telemetry:
		return s.telemetry(ctx)
	case t.fairness:
		return s.fairness(ctx)
	}
	return s.compare(ctx, t.only)
}

// present returns those of some servers that were built.
func (s *series) present(names []string) (list []string) {
	for _, peer := range names {
		if _, err := os.Stat(s.path(peer)); err == nil {
			list = append(list, peer)
		}
	}
	return list
}

// compare measures all cases and prints tables.
func (s *series) compare(ctx context.Context, only string) error {
	table := s.table()
	table.head()
	for _, c := range cases {
		if !strings.Contains(c.name, only) {
			continue
		}
		measured, err := s.measure(ctx, c)
		if err != nil {
			return err
		}
		table.row(c, measured)
	}
	table.end()
	return nil
}
