package main

import (
	"context"
	"fmt"
	"time"

	"millstream/bench/load"
	"millstream/bench/load/corpus"
	"millstream/netio/mta"
)

// turns is how many messages each session of a closed loop sends at least. Those
// that are under way when it begins to be measured have cost something already:
// half a message for each session, which is then at most a twentieth of all.
const turns = 10

// A trial is one way of loading a server, of which there is a new one each time.
type trial struct {
	setup
	load load.Config // how much, of what; the rest follows
}

// try loads a server, for longer than it was meant to if there are fewer than turns
// otherwise. The next one then takes that time at once.
func (s *series) try(ctx context.Context, t *trial) (*load.Result, error) {
	if t.load.Duration == 0 {
		t.load.Duration = s.time
	}
	for {
		r, err := s.tryOnce(ctx, t)
		if err != nil {
			return nil, err
		}
		need, have := float64(turns*t.load.Connections), float64(r.Counts.Messages)
		if have >= need || t.load.Rate != nil {
			return r, nil
		}
		t.load.Duration = time.Duration(float64(t.load.Duration) * min(1.2*need/max(have, 1), 20))
	}
}

func (s *series) tryOnce(ctx context.Context, t *trial) (*load.Result, error) {
	v, err := s.start(t.setup)
	if err != nil {
		return nil, err
	}
	defer v.stop()
	t.load.WarmUp = t.load.Duration / 4
	return v.run(ctx, t.load, nil)
}

// run loads a server and tells of every second; tell may be nil. Where there were errors,
// nothing was measured.
func (v *server) run(ctx context.Context, cfg load.Config, tell func(load.Progress)) (*load.Result, error) {
	cfg.Address, cfg.PID, cfg.Workers, cfg.Expect = v.socket, v.cmd.Process.Pid, 1, []string{"X-Peer"}
	r, err := load.Run(ctx, cfg, tell)
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case r.Failures() > 0:
		return nil, fmt.Errorf("%v", r.Samples)
	}
	return r, nil
}

// perMessage returns microseconds of a time that all messages have taken.
func perMessage(r *load.Result, d time.Duration) float64 {
	return micros(d) / float64(r.Counts.Messages)
}

// quantile returns microseconds.
func quantile(r *load.Result, percent float64) float64 {
	return micros(r.Latency(load.MessageLatency).Quantile(percent))
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

// The message that is sent where nothing else is said.
const (
	usualHeaders = 12
	usualBody    = "2KiB"
)

// mail makes a message of some headers and some text. from may be empty.
func mail(headers int, body, from string) []*mta.Mail {
	size, err := corpus.ParseSizes(body)
	if err != nil {
		panic(err)
	}
	list, err := corpus.Synthetic(corpus.Spec{
		Headers: headers, Recipients: 1, Body: size, Envelope: corpus.Envelope{From: from},
	})
	if err != nil {
		panic(err)
	}
	return list
}

func usualMail() []*mta.Mail { return mail(usualHeaders, usualBody, "") }
