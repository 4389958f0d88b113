package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// The exit statuses of send beyond 0, taken, and those of every command: 1, it did
// not work, and 2, a mistake in the call.
const (
	exitRejected    = 3
	exitTempFailed  = 4
	exitDiscarded   = 5
	exitQuarantined = 6
)

// sendFlags are the flags of the command send.
type sendFlags struct {
	socket                       string
	clientName, clientAddr, helo string
	from                         string
	fromParams, to               []string
	subject, body                string
	headers                      []string
	macros                       []string
	queueID                      string
	version                      uint32
	actions, steps               []string
	mta                          string
	timeout                      time.Duration
	out, format                  string
	quiet                        bool

	file string // the argument; empty for a message of our own
}

const sendLong = `Send one mail to a milter as an MTA would, and tell what it does with it.

The mail is FILE, header and body; "-" is standard input. Without a file it is a
short message that --subject, --header and --body change.

Printed is what both sides agreed on, the answer to each stage and how long it took,
the verdict, the changes, and what they make of the mail: envelope, header and body
as it was sent and as it would be delivered. The line "Received: (of the MTA)" stands
for the one that an MTA adds itself: milters do not see it, but count it where they
insert a header.

Macros are sent where the milter asks for them, and where the MTA sends them
unasked. One that would not be sent at all comes with connect; with a stage before
its name it comes with that stage, asked for or not.

The exit status tells what became of the mail:

  0  taken
  1  no verdict: no connection, or the milter failed
  2  a mistake in the call
  3  rejected
  4  refused for the time being
  5  discarded
  6  quarantined: taken, but held`

const sendExample = `  millstream send -p inet:8891@127.0.0.1 mail.eml
  millstream send -p unix:/run/spamass/spamass.sock --client-addr 192.0.2.7:4711 - <mail.eml
  millstream send --from '<>' --to 'joe@example.com NOTIFY=NEVER' --subject test
  millstream send --macro auth_authen=joe --macro envelope-recipient:rcpt_mailer=local
  millstream send --protocol 2 --actions add-headers,change-body   # an old MTA
  millstream send --steps -skip,-no-reply-header                   # all but these
  millstream send --quiet mail.eml || echo "not taken: $?"
  millstream send --out - --quiet mail.eml >as-delivered.eml`

// sendCommand sends one mail to a milter.
func sendCommand() *cobra.Command {
	f := &sendFlags{}
	c := &cobra.Command{
		Use:     "send [flags] [FILE]",
		Short:   "Send a mail to a milter, as an MTA would",
		Long:    sendLong,
		Example: sendExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("one FILE at most, not %q", args)}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.file = args[0]
			}
			status, err := runSend(c.Context(), f, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
			if err == nil && status != 0 {
				err = verdict(status)
			}
			return err
		},
	}
	f.define(c)
	return c
}

// define defines the flags.
func (f *sendFlags) define(c *cobra.Command) {
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVarP(&f.socket, "socket", "p", defaultSocket, "`socket` of the milter, as for serve")
	fl.StringVar(&f.clientName, "client-name", "", "`name` of the SMTP client (mail.example.org, or its address in brackets)")
	fl.StringVar(&f.clientAddr, "client-addr", "", "its `address`: 192.0.2.1:25, [2001:db8::1]:25, unix:/path or unknown")
	fl.StringVar(&f.helo, "helo", "", "`name` given with HELO (that of the client)")
	fl.StringVar(&f.from, "from", "sender@example.org", "envelope sender: `address` [PARAM...]; '<>' for bounces")
	fl.StringArrayVar(&f.fromParams, "from-param", nil, "ESMTP `parameter` of the sender, such as SIZE=10; may be given again")
	fl.StringArrayVar(&f.to, "to", nil, "envelope recipient: `address` [PARAM...]; may be given again (recipient@example.com)")
	fl.StringVar(&f.subject, "subject", "", "`subject` of the message, without a FILE")
	fl.StringArrayVar(&f.headers, "header", nil, "`line` 'Name: value' of its header; may be given again")
	fl.StringVar(&f.body, "body", "", "`text` of its body")
	fl.StringArrayVar(&f.macros, "macro", nil, "macro: `[stage:]name=value`; may be given again")
	fl.StringVar(&f.queueID, "qid", "", "queue `id` (one like those of the MTA)")
	fl.StringVar(&f.mta, "mta", "postfix", "`name` of the MTA to act as: postfix or sendmail")
	fl.Uint32Var(&f.version, "protocol", maxOffer, "`version` to offer, 2 to 6")
	fl.StringSliceVar(&f.actions, "actions", nil, "`names` of the actions to offer, or -name to leave some out; all, none")
	fl.StringSliceVar(&f.steps, "steps", nil, "`names` of the steps to offer, likewise")
	fl.DurationVar(&f.timeout, "timeout", 0, "how long to wait for each answer (30s, and 5m at end-of-message)")
	fl.StringVar(&f.out, "out", "", "`file` for the message as delivered; with - it is standard output, and the report standard error")
	fl.StringVar(&f.format, "format", "text", "`how` to print: text, or json for one document")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "print the verdict only")
}

// runSend sends the mail and prints the report. status is the exit status that
// stands for the verdict.
func runSend(ctx context.Context, f *sendFlags, in io.Reader, out, errOut io.Writer) (status int, err error) {
	p, err := f.plan(in)
	if err != nil {
		return 0, err
	}
	r := deliver(ctx, p)
	to := out
	if f.out == "-" { // belongs to the message
		to = errOut
	}
	if err := f.print(to, r); err != nil {
		return 0, fmt.Errorf("the report is not written: %w", err)
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.exitStatus(), f.writeDelivered(out, r)
}

// print prints the report as it was asked for.
func (f *sendFlags) print(w io.Writer, r *sendReport) error {
	switch {
	case f.quiet:
		return printVerdict(w, r)
	case f.format == formatJSON:
		return printJSON(w, r)
	}
	return printText(w, r)
}

// writeDelivered writes the message as delivered where --out says, if it is taken.
func (f *sendFlags) writeDelivered(out io.Writer, r *sendReport) error {
	if f.out == "" || !r.outcome.Taken() {
		return nil
	}
	message := r.after.message(r.plan.crlf)
	var err error
	if f.out == "-" {
		_, err = out.Write(message)
	} else {
		err = os.WriteFile(f.out, message, 0o600)
	}
	if err != nil {
		return fmt.Errorf("the message is not written: %w", err)
	}
	return nil
}
