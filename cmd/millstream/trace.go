package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"millstream/actors"
)

// traceFlags are the flags of the command trace.
type traceFlags struct {
	clients, from, rcpts, queueIDs []string

	once, full, commands bool
	output               string
	control              string
}

const traceLong = `Show what MTAs and a running server say to each other, packet by packet, while they
do. The server is found by its control socket, so it must run on this machine, and
you must be its user, or root.

Shown are the sessions that match: with a message that has all that is asked for, and
of a flag that is given several times any one. A session is shown from its beginning
on, as soon as it is known to match, and to its end. Those that are under way when the
trace starts are not. What the server does not ask MTAs for, because its filter does
not need it, cannot be matched.

A line has the number of the session, the time since it began in seconds, and what is
said, as in the scripts of millstream talk: -> is what the MTA sends, +> what came with
the line before, and <- the answer. Long texts are shortened, and their size told, but
for --full.

With --output each session is written to a file of its own as well, as a script: in a
directory under a name of its time and number, or the first one to a file, which ends
the trace. Files that are there are not touched. Such a script can be played to a
milter, with millstream talk: it sends what the MTA sent and expects the same answers.
Of those with something in them that changes by nature, such as a date or the number
of the session in a header that is added, it expects the beginning (<~). With
--commands it has no answers; talk --record then shows them.

The server keeps up to 1 MiB of a session until it is known to match, and never waits
for who reads; what is left out is told.`

const traceExample = `  millstream trace --client 192.0.2.0/24
  millstream trace --from '@example.com' --rcpt 'sales*@*' --once
  millstream trace --qid 4XyZ1234
  millstream trace --from '<>' -o /tmp/bounces/
  millstream trace --once -o case.txt && millstream talk -p inet:8890@127.0.0.1 case.txt`

// traceCommand shows what is said in sessions of a running server.
func traceCommand() *cobra.Command {
	f := &traceFlags{}
	c := &cobra.Command{
		Use:     "trace [flags]",
		Short:   "Show sessions of a running server, packet by packet",
		Long:    traceLong,
		Example: traceExample,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runTrace(c.Context(), f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringArrayVar(&f.clients, traceClient, nil, "`network` or address of the SMTP client, such as 192.0.2.0/24; may be given again")
	fl.StringArrayVar(&f.from, traceFrom, nil, "`sender`: address, @domain, or with * and ? in it; '<>' is that of bounces; may be given again")
	fl.StringArrayVar(&f.rcpts, traceRcpt, nil, "`recipient`, likewise; may be given again")
	fl.StringArrayVar(&f.queueIDs, traceQID, nil, "queue `id` of the message; may be given again")
	fl.BoolVar(&f.once, "once", false, "end after the first session that matches")
	fl.BoolVar(&f.full, "full", false, "do not shorten long texts")
	fl.StringVarP(&f.output, "output", "o", "", "`file` or directory for scripts of the sessions")
	fl.BoolVar(&f.commands, "commands", false, "write scripts of commands alone, without answers")
	fl.StringVar(&f.control, "control", "", "`path` of the server's control socket (where serve opens it by default)")
	return c
}

// query returns what the server is asked for.
func (f *traceFlags) query() url.Values {
	q := url.Values{}
	for key, values := range map[string][]string{
		traceClient: f.clients, traceFrom: f.from, traceRcpt: f.rcpts, traceQID: f.queueIDs,
	} {
		if len(values) > 0 {
			q[key] = values
		}
	}
	return q
}

// runTrace shows sessions until ctx ends, or the first one if that is all.
func runTrace(ctx context.Context, f *traceFlags, out, errOut io.Writer) error {
	query := f.query()
	if _, err := traceFilter(query); err != nil {
		return usageError{err}
	}
	if f.commands && f.output == "" {
		return usageError{errors.New("--commands is about scripts: it needs --output")}
	}
	to, err := openRecorder(f.output, f.commands)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer, err := controlRequest(ctx, f.control, http.MethodGet, traceTarget+"?"+query.Encode())
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	fmt.Fprintln(errOut, "millstream: sessions that begin from now on are shown; Ctrl-C ends it")
	d := &dialog{
		out: out, errOut: errOut, full: f.full, once: f.once || to.single(), to: to,
		sessions: make(map[uint64]*dialogSession),
	}
	err = d.follow(json.NewDecoder(answer.Body))
	if ctx.Err() != nil { // that is how most traces end
		err = nil
	}
	return errors.Join(err, d.interrupt())
}

// follow shows events until there are no more.
func (d *dialog) follow(events *json.Decoder) error {
	for {
		var e actors.TapEvent
		err := events.Decode(&e)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the server has ended the trace")
		}
		if err != nil {
			return fmt.Errorf("trace: %w", err)
		}
		if over, err := d.show(&e); over || err != nil {
			return err
		}
	}
}
