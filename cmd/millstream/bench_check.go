package main

import (
	"errors"
	"fmt"
	"time"
)

// checkNumbers checks the flags that count something.
func (f *benchFlags) checkNumbers(*benchPlan) error {
	for _, n := range [...]struct {
		flag         string
		value, least int64
	}{
		{"--connections", int64(f.connections), 0},
		{"--messages", f.messages, 0},
		{"--reuse", int64(f.reuse), 0},
		{"--idle", int64(f.idle), 0},
		{"--workers", int64(f.workers), 0},
		{"--headers", int64(f.headers), 0},
		{"--rcpt", int64(f.rcpt), 1},
		{"--max-errors", f.limits.MaxErrors, -1},
	} {
		if n.value < n.least {
			return fmt.Errorf("%s %d is too few; write a number from %d on", n.flag, n.value, n.least)
		}
	}
	if !(f.limits.MinRate >= 0) {
		return fmt.Errorf("--min-rate %v is no rate; write messages a second such as 1000", f.limits.MinRate)
	}
	return nil
}

// checkTimes checks the flags that are a time.
func (f *benchFlags) checkTimes(*benchPlan) error {
	for _, d := range [...]struct {
		flag  string
		value time.Duration
	}{
		{"duration", f.duration},
		{"warmup", f.warmUp},
		{"think", f.think},
		{"timeout", f.timeout},
		{"max-p50", f.limits.MaxP50},
		{"max-p99", f.limits.MaxP99},
	} {
		switch mayBeZero := d.flag == "warmup" || d.flag == "think"; {
		case d.value < 0:
			return fmt.Errorf("--%s %v is negative; write a time such as 30s", d.flag, d.value)
		case d.value == 0 && f.given[d.flag] && !mayBeZero:
			return fmt.Errorf("--%s 0 is no time; write one such as 30s", d.flag)
		}
	}
	return nil
}

// checkTogether checks flags that exclude each other.
func (f *benchFlags) checkTogether(p *benchPlan) error {
	if f.churn {
		if f.given["reuse"] && f.reuse != 1 {
			return fmt.Errorf("--churn, a connection for each message, and --reuse %d exclude each other", f.reuse)
		}
		p.config.Reuse = 1
	}
	if f.corpus != "" {
		for _, flag := range []string{"headers", "body", "rcpt"} {
			if f.given[flag] {
				return fmt.Errorf("--%s is for messages without a --corpus", flag)
			}
		}
	}
	if f.given["rcpt"] && len(f.to) > 0 {
		return errors.New("--rcpt and --to exclude each other: give --to for each recipient")
	}
	return nil
}

// checkIdle checks what is asked for if nothing is sent.
func (f *benchFlags) checkIdle(p *benchPlan) error {
	if f.connections > 0 {
		return nil
	}
	if f.idle == 0 {
		return errors.New("--connections 0 sends nothing; write a number from 1 on, or give --idle to only hold sessions")
	}
	for _, flag := range []string{
		"rate", "messages", "churn", "reuse", "think", "chaos", "expect-header", "corpus", "max-p50", "max-p99", "min-rate",
	} {
		if f.given[flag] {
			return fmt.Errorf("--connections 0 sends nothing, so --%s is of no use with it", flag)
		}
	}
	if !f.given["warmup"] {
		p.config.WarmUp = 0
	}
	return nil
}
