package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"millstream/bench/load"
	"millstream/bench/load/corpus"
	"millstream/netio"
	"millstream/netio/mta"
	"millstream/protocol"
)

// A benchPlan is what bench is to do, checked.
type benchPlan struct {
	config   load.Config
	settings []load.Setting // that are not in config
	notes    []string       // what may surprise
}

// plan checks the flags and makes the messages.
func (f *benchFlags) plan() (*benchPlan, error) {
	if _, _, err := netio.ParseAddr(f.socket); err != nil {
		return nil, err
	}
	p := &benchPlan{config: load.Config{
		Address: f.socket, Connections: f.connections,
		Messages: f.messages, Duration: f.duration, WarmUp: f.warmUp,
		Reuse: f.reuse, Think: f.think, Timeout: f.timeout,
		Expect: f.expect, Idle: f.idle, Workers: f.workers, Seed: f.seed,
	}}
	for _, check := range []func(*benchPlan) error{
		f.checkNumbers, f.checkTimes, f.checkTogether, f.checkIdle, f.planRate, f.planPeers, f.planExpect, f.planPID, f.planMails,
	} {
		if err := check(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// planRate plans the schedule, and the end if no other is given.
func (f *benchFlags) planRate(p *benchPlan) error {
	if f.given["rate"] {
		var err error
		if p.config.Rate, err = load.ParseSchedule(f.rate); err != nil {
			return fmt.Errorf("--rate: %w", err)
		}
	}
	if f.duration == 0 && f.messages == 0 && f.connections > 0 && p.config.Rate.Length() == 0 {
		p.config.Duration = defaultDuration
	}
	return nil
}

// planPeers plans the MTA and the SMTP client as send does, and what else they do.
func (f *benchFlags) planPeers(p *benchPlan) error {
	var known bool
	if p.config.Dialect, known = mta.ParseDialect(f.mta); !known {
		return fmt.Errorf("--mta %q is neither postfix nor sendmail", f.mta)
	}
	one := &sendFlags{
		version: f.version, actions: f.actions, steps: f.steps,
		clientName: f.clientName, clientAddr: f.clientAddr, helo: f.helo,
	}
	plan := &sendPlan{dialect: p.config.Dialect}
	for _, part := range []func(*sendPlan) error{one.planOffer, one.planClient} {
		if err := part(plan); err != nil {
			return err
		}
	}
	p.notes = append(p.notes, plan.notes...)
	p.config.Offer, p.config.Client = plan.offer, plan.client
	p.config.Client.Macros = clientMacros(plan)
	var err error
	p.config.Chaos, err = parseChaos(f.chaos)
	return err
}

// planExpect checks the headers that the milter has to add.
func (f *benchFlags) planExpect(p *benchPlan) error {
	for _, name := range f.expect {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
			return fmt.Errorf("--expect-header %q is no name of a header; write one such as X-Spam-Status", name)
		}
	}
	if len(f.expect) > 0 && !p.config.Offer.Actions.Has(protocol.ActionAddHeaders) {
		return errors.New("--expect-header: the milter may add no header, as --actions and --protocol do not offer it add-headers")
	}
	return nil
}

// planPID finds the process of the milter.
func (f *benchFlags) planPID(p *benchPlan) error {
	if f.pid == "" {
		return nil
	}
	pid, err := strconv.Atoi(f.pid)
	if err != nil {
		text, err := os.ReadFile(f.pid)
		if err != nil {
			return fmt.Errorf("--pid %q is no number of a process, and no file with one: %w", f.pid, err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
			return fmt.Errorf("--pid: the file %s does not begin with the number of a process, but with %.40q", f.pid, line)
		}
	}
	if pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return fmt.Errorf("--pid %s: there is no process %d", f.pid, pid)
	}
	p.config.PID = pid
	return nil
}

// planMails reads or makes the messages.
func (f *benchFlags) planMails(p *benchPlan) error {
	var own corpus.Envelope
	if f.given["from"] {
		from, err := parseMailbox("--from", f.from)
		if err != nil {
			return err
		}
		own.From = from.String()
	}
	for _, s := range f.to {
		to, err := parseMailbox("--to", s)
		if err != nil {
			return err
		}
		own.To = append(own.To, to.String())
	}
	var err error
	if f.corpus != "" {
		p.settings = []load.Setting{{Name: "corpus", Value: f.corpus}}
		if p.config.Mails, err = corpus.Read(f.corpus, own); err != nil {
			return fmt.Errorf("--corpus: %w", err)
		}
		return nil
	}
	sizes, err := corpus.ParseSizes(f.body)
	if err != nil {
		return fmt.Errorf("--body: %w", err)
	}
	p.settings = []load.Setting{
		{Name: "body", Value: sizes.String()},
		{Name: "headers", Value: strconv.Itoa(f.headers)},
		{Name: "recipients", Value: strconv.Itoa(max(f.rcpt, len(f.to)))},
	}
	p.config.Mails, err = corpus.Synthetic(corpus.Spec{
		Headers: f.headers, Recipients: f.rcpt, Body: sizes, Seed: f.seed, Envelope: own,
	})
	return err
}
