package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// define defines the flags.
func (f *benchFlags) define(c *cobra.Command) {
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVarP(&f.socket, "socket", "p", defaultSocket, "`socket` of the milter, as for serve")
	f.defineLoad(fl)
	f.defineMail(fl)
	fl.DurationVar(&f.limits.MaxP50, "max-p50", 0, "how long half of the messages may take at most (no limit)")
	fl.DurationVar(&f.limits.MaxP99, "max-p99", 0, "how long 99 % of them may take")
	fl.Float64Var(&f.limits.MinRate, "min-rate", 0, "messages a second that there have to be")
	fl.Int64Var(&f.limits.MaxErrors, "max-errors", 0, "errors that there may be (none); -1 is no limit")
	fl.StringVar(&f.pid, "pid", "", "`process` of the milter, whose CPU time and memory are told: its number, or a file with it")
	fl.IntVar(&f.workers, "workers", 0, "event loops of the load; 0 is one for each CPU")
	fl.Uint64Var(&f.seed, "seed", 1, "of all that is random: another one for other messages")
	fl.StringVar(&f.format, "out", formatText, "`how` to print: text, json, hdr or html")
	fl.StringVarP(&f.output, "output", "o", "", "`file` for the report (standard output)")
	fl.BoolVar(&f.compare, "compare", false, "send nothing; set reports in JSON, which are the arguments, side by side")
}

// defineLoad defines the flags that say how much is sent, and when.
func (f *benchFlags) defineLoad(fl *pflag.FlagSet) {
	fl.IntVar(&f.connections, "connections", defaultConnections, "sessions at once; with --rate at most; 0 for --idle alone")
	fl.StringVar(&f.rate, "rate", "", "`schedule` of messages a second: 1000, 1000/10s,2000/10s or 100..5000/60s (as fast as they are answered)")
	fl.DurationVar(&f.duration, "duration", 0, "how long to send, after --warmup (10s, without --messages and an end of --rate)")
	fl.Int64Var(&f.messages, "messages", 0, "messages to send; 0 is no limit")
	fl.DurationVar(&f.warmUp, "warmup", defaultWarmUp, "how long to send before anything counts")
	fl.BoolVar(&f.churn, "churn", false, "a connection for each message, as Postfix does; like --reuse 1")
	fl.IntVar(&f.reuse, "reuse", 0, "messages on one connection; 0 is no limit")
	fl.DurationVar(&f.think, "think", 0, "how long the SMTP client waits between stages")
	fl.DurationVar(&f.timeout, "timeout", commandTime, "how long to wait for each answer")
	fl.IntVar(&f.idle, "idle", 0, "sessions beside those that send, opened before and held")
	fl.StringVar(&f.chaos, "chaos", "", "`shares` of messages: abort=1%,reset=0.5%,unknown=2%,slow-reader=1%")
	fl.StringArrayVar(&f.expect, "expect-header", nil, "`name` of a header that the milter has to add to each message, or it is an error; may be given again")
	fl.StringVar(&f.mta, "mta", "postfix", "`name` of the MTA to act as: postfix or sendmail")
	fl.Uint32Var(&f.version, "protocol", maxOffer, "`version` to offer, 2 to 6")
	fl.StringSliceVar(&f.actions, "actions", nil, "`names` of the actions to offer, or -name to leave some out; all, none")
	fl.StringSliceVar(&f.steps, "steps", nil, "`names` of the steps to offer, likewise")
}

// defineMail defines the flags that say who sends what.
func (f *benchFlags) defineMail(fl *pflag.FlagSet) {
	fl.StringVar(&f.clientName, "client-name", "", "`name` of the SMTP client (mail.example.org, or its address in brackets)")
	fl.StringVar(&f.clientAddr, "client-addr", "", "its `address`: 192.0.2.1:25, [2001:db8::1]:25, unix:/path or unknown")
	fl.StringVar(&f.helo, "helo", "", "`name` given with HELO (that of the client)")
	fl.StringVar(&f.corpus, "corpus", "", "`path` of messages to send: a message, an mbox file, or a directory of them")
	fl.IntVar(&f.headers, "headers", defaultHeaders, "headers of each message, without --corpus")
	fl.StringVar(&f.body, "body", defaultBody, "`sizes` of bodies: 4KiB, 1KiB..64KiB, lognormal:4KiB,1.5 or 70%:2KiB,30%:1MiB")
	fl.IntVar(&f.rcpt, "rcpt", 1, "recipients of each message")
	fl.StringVar(&f.from, "from", "", "envelope sender: `address` [PARAM...]; '<>' for bounces (that of each message)")
	fl.StringArrayVar(&f.to, "to", nil, "envelope recipient: `address` [PARAM...]; may be given again (those of each message)")
}

// see takes down which flags were given.
func (f *benchFlags) see(c *cobra.Command, args []string) {
	f.files, f.given = args, map[string]bool{}
	c.Flags().Visit(func(flag *pflag.Flag) { f.given[flag.Name] = true })
}
