package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"millstream/bench/load"
)

// A test case is one way of loading a server.
type testCase struct {
	name   string
	stream bool // nothing is answered before the end of the message
	churn  bool // a connection for each message
	inet   bool
	half   bool // at half the rate that ours can take, which only the bare loop can too
	idle   bool // sessions that only wait: bytes, not time
}

var cases = []testCase{
	{name: "lock step, unix"},
	{name: "lock step, tcp", inet: true},
	{name: "no reply, unix", stream: true},
	{name: "no reply, tcp", stream: true, inet: true},
	{name: "no reply at one rate, unix", stream: true, half: true},
	{name: "no reply at one rate, tcp", stream: true, inet: true, half: true},
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
	stream      bool   // growth with nothing answered before the end
	dir         string // for sockets
	sockets     int    // that were made
}

func (s *series) path(peer string) string {
	return filepath.Join(s.bin, strings.TrimSuffix(peer, raw))
}

// A cost is what one measurement has shown: microseconds of the server and of the
// generator for a message, or bytes for an idle session.
type cost struct {
	server, generator float64
	p99               time.Duration
}

// measure returns the costs of a case by peer, one for each round; none for a peer that
// does not take part.
func (s *series) measure(ctx context.Context, c testCase) ([][]cost, error) {
	var rate load.Schedule
	if c.half {
		n, err := s.closedRate(ctx, c.setup(ours))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		rate = load.Schedule{{From: n / 2, To: n / 2}}
	}
	costs := make([][]cost, len(s.peers))
	for range s.rounds {
		for p, peer := range s.peers {
			if c.half && peer != ours && !strings.HasPrefix(peer, bare) {
				continue
			}
			one, err := s.once(ctx, peer, c, rate)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", peer, c.name, err)
			}
			costs[p] = append(costs[p], one)
		}
	}
	return costs, nil
}

// setup returns how the server of a peer is started.
func (c *testCase) setup(peer string) setup {
	u := setup{peer: peer, at: serverPlace, inet: c.inet}
	if c.stream {
		u.args = append(u.args, "-stream")
	}
	if strings.HasSuffix(peer, raw) {
		u.args = append(u.args, raw)
	}
	return u
}

// once measures a server of its own, in a closed loop if rate is nil.
func (s *series) once(ctx context.Context, peer string, c testCase, rate load.Schedule) (cost, error) {
	u := c.setup(peer)
	cfg := load.Config{Mails: usualMail(), Connections: s.connections, Rate: rate, Duration: s.time, WarmUp: s.time / 4}
	if c.churn {
		cfg.Reuse = 1
	}
	if c.idle { // what is needed, not what the collector leaves for later
		u.env = []string{"GOGC=10"}
		cfg.Connections, cfg.Idle, cfg.WarmUp, cfg.Duration = 0, s.idle, 0, 0
	}
	server, err := s.start(u)
	if err != nil {
		return cost{}, err
	}
	defer server.stop()
	r, err := server.run(ctx, cfg, nil)
	switch {
	case err != nil:
		return cost{}, err
	case c.idle:
		return cost{server: r.Idle.PerSession()}, nil
	}
	return cost{perMessage(r, r.Server.CPU), perMessage(r, r.Generator.CPU), r.Latency(load.MessageLatency).Quantile(99)}, nil
}
