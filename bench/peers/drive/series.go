package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"millstream/bench/load"
	"millstream/bench/load/corpus"
	"millstream/netio/mta"
)

// A test case is one way of loading a server.
type testCase struct {
	name   string
	stream bool // nothing is answered before the end of the message
	churn  bool // a connection for each message
	inet   bool
	idle   bool // sessions that only wait: bytes, not time
}

var cases = []testCase{
	{name: "lock step, unix"},
	{name: "lock step, tcp", inet: true},
	{name: "no reply, unix", stream: true},
	{name: "no reply, tcp", stream: true, inet: true},
	{name: "one message per connection, unix", churn: true},
	{name: "idle session, unix", idle: true},
}

// A series is what is measured, and how.
type series struct {
	bin         string // directory of the servers
	peers       []string
	connections int
	time        time.Duration
	rounds      int
	idle        int
	dir         string // for sockets
	sockets     int    // that were made
}

func (s *series) path(peer string) string { return filepath.Join(s.bin, peer) }

// A cost is what one measurement has shown: microseconds of the server and of the
// generator for a message, or bytes for an idle session.
type cost struct {
	server, generator float64
	p99               time.Duration
}

// measure returns the costs of a case by peer, one for each round.
func (s *series) measure(ctx context.Context, c testCase) ([][]cost, error) {
	costs := make([][]cost, len(s.peers))
	for range s.rounds {
		for p, peer := range s.peers {
			one, err := s.once(ctx, peer, c)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", peer, c.name, err)
			}
			costs[p] = append(costs[p], one)
		}
	}
	return costs, nil
}

// once measures a server of its own.
func (s *series) once(ctx context.Context, peer string, c testCase) (cost, error) {
	s.sockets++
	socket := "unix:" + filepath.Join(s.dir, fmt.Sprint(s.sockets))
	if c.inet {
		socket = fmt.Sprintf("inet:%d@127.0.0.1", 20000+s.sockets)
	}
	server, err := start(s.path(peer), socket, c)
	if err != nil {
		return cost{}, err
	}
	defer server.stop()
	cfg := load.Config{
		Address: socket, Mails: mails, PID: server.cmd.Process.Pid, Workers: 1,
		Connections: s.connections, Duration: s.time, WarmUp: s.time / 4, Expect: []string{"X-Peer"},
	}
	if c.churn {
		cfg.Reuse = 1
	}
	if c.idle {
		cfg.Connections, cfg.Idle, cfg.WarmUp, cfg.Duration = 0, s.idle, 0, 0
	}
	r, err := load.Run(ctx, cfg, nil)
	switch {
	case err != nil:
		return cost{}, err
	case ctx.Err() != nil:
		return cost{}, ctx.Err()
	case r.Failures() > 0:
		return cost{}, fmt.Errorf("%v", r.Samples)
	case c.idle:
		return cost{server: r.Idle.PerSession()}, nil
	}
	per := func(d time.Duration) float64 { return float64(d) / float64(r.Counts.Messages) / 1e3 }
	return cost{per(r.Server.CPU), per(r.Generator.CPU), r.Latency(load.MessageLatency).Quantile(99)}, nil
}

// mails is the message that is sent: twelve headers and two KiB of text.
var mails = func() []*mta.Mail {
	size, err := corpus.ParseSizes("2KiB")
	if err != nil {
		panic(err)
	}
	list, err := corpus.Synthetic(corpus.Spec{Headers: 12, Recipients: 1, Body: size})
	if err != nil {
		panic(err)
	}
	return list
}()
