// Command drive measures what a message costs the servers of package peers.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// A run is one way of loading a server.
type run struct {
	name   string
	stream bool // nothing is answered before the end of the message
	churn  bool // a connection for each message
	inet   bool
}

var runs = []run{
	{name: "lock step, unix"},
	{name: "lock step, tcp", inet: true},
	{name: "no reply, unix", stream: true},
	{name: "no reply, tcp", stream: true, inet: true},
	{name: "one message per connection, unix", churn: true},
}

// The first peer is the one that the others are held against.
var peers = []string{"millstream", "gomilter"}

func main() {
	bin := flag.String("bin", ".", "directory of the servers")
	connections := flag.Int("connections", 100, "connections at once")
	messages := flag.Int("messages", 20000, "messages of each measurement")
	rounds := flag.Int("rounds", 7, "measurements of each kind, interleaved")
	flag.Parse()
	load := load{connections: *connections, messages: *messages}
	if err := measure(*bin, load, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		os.Exit(1)
	}
}

// measure prints a table of all runs.
func measure(bin string, l load, rounds int) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pinned := pin(os.Getpid(), runtime.NumCPU()-1)
	fmt.Printf("CPU of the server per message, %d connections, %d messages, median of %d rounds, pinned: %v\n\n",
		l.connections, l.messages, rounds, pinned)
	fmt.Printf("| case | %s | %s | ratio | spread |\n|---|---|---|---|---|\n", peers[0], peers[1])
	for i, r := range runs {
		costs := make([][]float64, len(peers))
		for round := range rounds {
			for p, peer := range peers {
				socket := "unix:" + filepath.Join(dir, fmt.Sprintf("%d-%d-%d", i, round, p))
				if r.inet {
					socket = fmt.Sprintf("inet:%d@127.0.0.1", 20000+(i*rounds+round)*len(peers)+p)
				}
				cost, err := l.measure(filepath.Join(bin, peer), socket, r)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", peer, r.name, err)
				}
				costs[p] = append(costs[p], cost)
			}
		}
		fmt.Println(row(r.name, costs))
	}
	return nil
}
