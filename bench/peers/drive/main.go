// Command drive measures what a message costs the servers of package peers, and what
// an idle session does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

// peers are the servers; ours is held against each of the others.
var peers = []string{ours, "libmilter", "gomilter", "epoll"}

const ours = "millstream"

func main() {
	var s series
	flag.StringVar(&s.bin, "bin", ".", "directory of the servers")
	flag.IntVar(&s.connections, "connections", 100, "connections at once")
	flag.DurationVar(&s.time, "time", time.Second, "how long each measurement lasts")
	flag.IntVar(&s.rounds, "rounds", 7, "measurements of each kind, interleaved")
	flag.IntVar(&s.idle, "idle", 5000, "idle sessions")
	only := flag.String("only", "", "measure only the cases with this in their name")
	names := flag.String("peers", strings.Join(peers, ","), "servers to measure: names of programs in the directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s.peers = s.present(strings.Split(*names, ","))
	if err := s.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		os.Exit(1)
	}
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

// run measures everything and prints tables.
func (s *series) run(ctx context.Context, only string) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.dir = dir
	apart := pin(os.Getpid(), runtime.NumCPU()-1)
	fmt.Printf("%s, %d CPUs, %s; server and load on a CPU each: %v\n%d connections, median of %d rounds of %v each, interleaved\n\n",
		cpuModel(), runtime.NumCPU(), runtime.Version(), apart, s.connections, s.rounds, s.time)
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
