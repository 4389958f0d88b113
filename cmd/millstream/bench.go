package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"millstream/bench/load"
	"millstream/bench/load/report"
	"millstream/protocol"
)

// exitBroken is the exit status of bench after a run that broke a limit.
const exitBroken = 3

// What bench does unless it is told otherwise.
const (
	defaultConnections = 10
	defaultDuration    = 10 * time.Second
	defaultWarmUp      = time.Second
	defaultHeaders     = 12
	defaultBody        = "4KiB"
)

// benchFlags are the flags of the command bench.
type benchFlags struct {
	socket string

	connections            int
	rate                   string
	duration, warmUp       time.Duration
	messages               int64
	churn                  bool
	reuse, idle            int
	think, timeout         time.Duration
	chaos                  string
	expect                 []string
	mta                    string
	version                uint32
	actions, steps         []string
	clientName, clientAddr string
	helo                   string
	corpus                 string
	headers, rcpt          int
	body, from             string
	to                     []string
	limits                 report.Limits
	pid                    string
	workers                int
	seed                   uint64
	format, output         string
	compare                bool
	files                  []string        // the arguments
	given                  map[string]bool // the flags that were given, by name
	run                    func(context.Context, load.Config, func(load.Progress)) (*load.Result, error)
}

const benchLong = `Load a milter as MTAs would, and tell how fast it answers.

Without --rate each of --connections sends one message after the other as fast as
the milter answers: what it can do at most. With --rate messages begin when the
schedule says, however slow the milter is, and each is timed from when it was meant
to begin: what its users see. A schedule is messages a second for a time, a step
after the other: 1000/10s,2000/10s, or evenly from one rate to another:
100..5000/60s. Only a last step may be without a time.

Messages are those of --corpus: files of one message, mbox files, or directories
of them. Without it they are text with --headers, --rcpt and a body of --body bytes:
4KiB, 1KiB..64KiB, lognormal:4KiB,1.5 (median and sigma) or a mix such as
70%:2KiB,25%:20KiB,5%:1MiB. They are sent in random order.

--idle opens sessions that only wait, and tells with --pid what one costs in memory;
with --connections 0 there are no others. Ask a milter that was just started: one that
has been busy has memory left for them, and seems to take less.

--chaos is what MTAs do beside sending mail, each for a share of the messages: abort
gives up at some stage, reset breaks the connection, unknown sends an SMTP command
unknown to the MTA, slow-reader leaves the last answer unread for a second.

While it runs a line on the terminal tells how it goes. It ends with --messages,
--duration, the schedule or SIGINT, whichever comes first, and without any of them
after 10s. Then the report is printed: as text, or by --out as JSON, as an
HdrHistogram log or as a page of HTML with plots. --compare sends nothing, but sets
reports in JSON side by side.

The exit status tells how it went:

  0  no limit was broken
  1  it did not work: no connection, or the report was not written
  2  a mistake in the call
  3  a limit was broken: --max-p50, --max-p99, --min-rate, or there were more
     errors than --max-errors; each is told on standard error`

const benchExample = `  millstream bench -p inet:8891@127.0.0.1
  millstream bench --connections 100 --duration 60s --body 1KiB..64KiB
  millstream bench --rate 1000 --max-p99 20ms || echo "too slow: $?"
  millstream bench --rate 100..5000/60s --connections 500 --out html -o ramp.html
  millstream bench --corpus /var/mail/sample --to joe@example.com --messages 10000
  millstream bench --churn --mta postfix --pid /run/filter.pid   # a connection each
  millstream bench --chaos abort=1%,reset=0.5% --expect-header X-Spam-Status
  millstream bench --idle 10000 --connections 0 --pid "$(pidof filter)"   # memory only
  millstream bench --out json -o before.json
  millstream bench --compare before.json after.json`

// benchCommand loads a milter.
func benchCommand() *cobra.Command { return (&benchFlags{run: load.Run}).command() }

// command returns the command whose flags f are.
func (f *benchFlags) command() *cobra.Command {
	c := &cobra.Command{
		Use:     "bench [flags]",
		Short:   "Load a milter, as MTAs would, and tell how fast it answers",
		Long:    benchLong,
		Example: benchExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && !f.compare {
				return usageError{fmt.Errorf("%q: arguments are reports, for --compare; messages are for --corpus", args)}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			f.see(c, args)
			broken, err := f.execute(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
			for _, line := range broken {
				fmt.Fprintf(c.ErrOrStderr(), "millstream: %s\n", line)
			}
			if err == nil && len(broken) > 0 {
				err = verdict(exitBroken)
			}
			return err
		},
	}
	f.define(c)
	return c
}

// execute does what the command was called for. broken has a line for each limit
// that was broken.
func (f *benchFlags) execute(ctx context.Context, out, errOut io.Writer) (broken []string, err error) {
	if err := f.checkOutput(); err != nil {
		return nil, usageError{err}
	}
	if f.compare {
		return nil, f.compareReports(out)
	}
	p, err := f.plan()
	if err != nil {
		return nil, usageError{err}
	}
	to, err := openOutput(f.output, out)
	if err != nil {
		return nil, usageError{err}
	}
	for _, note := range p.notes {
		fmt.Fprintf(errOut, "millstream: %s\n", note)
	}
	live := newLiveLine(errOut)
	result, err := f.run(ctx, p.config, live.show)
	live.clear()
	if err != nil {
		if errors.Is(err, protocol.ErrInvalidArgument) {
			err = usageError{err}
		}
		return nil, errors.Join(err, to.abandon())
	}
	result.Settings = append(result.Settings, p.settings...)
	return f.limits.Check(result), to.write(func(w io.Writer) error { return f.print(w, result) })
}

// print prints the report as it was asked for.
func (f *benchFlags) print(w io.Writer, r *load.Result) error {
	switch f.format {
	case formatJSON:
		return report.JSON(w, r)
	case formatHDR:
		return report.HDR(w, r)
	case formatHTML:
		return report.HTML(w, r)
	}
	return report.Text(w, r)
}
