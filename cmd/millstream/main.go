// Command millstream filters mail for Postfix and Sendmail.
//
//	millstream serve      run the filter server
//	millstream check      say what is wrong with a configuration
//	millstream config     print an example of one, its schema, or what is in force
//	millstream send       send a mail to a milter, as an MTA would
//	millstream talk       play session scripts to a milter
//	millstream reload     have a running server read its configuration again
//	millstream trace      show sessions of a running server, packet by packet
//	millstream bench      load a milter, as MTAs would, and tell how fast it answers
//	millstream version    print the version
//
// # Serve
//
// The command serve is the filter server. What it does is said by a file, and by flags
// that count more:
//
//	millstream config example >millstream.toml
//	millstream check -c millstream.toml
//	millstream serve -c millstream.toml
//
// Without a file it is that example. The command check prints all that is wrong with a
// file, with line and column, and then exits with 1.
//
// At SIGHUP, and at the command reload, a server reads its file again: sessions that
// begin from then on have the new handlers and limits, those under way keep theirs, and a
// file with a mistake changes nothing.
//
// What the server does can be watched: it has a page with the sessions and the last
// messages at its admin address, 127.0.0.1:8891 unless --admin says otherwise, with
// /livez and /readyz for who watches over it and /metrics for Prometheus, and it logs a
// line for each message: to standard error, as the journal of systemd wants it where
// that reads it, or to syslog. Traces, metrics and log records go to a collector of
// OpenTelemetry if the standard variables or the file name one; without none are made:
//
//	OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 millstream serve
//
// A trace has a span for the session, one for each message below it, those of handlers
// below that, and below these what handlers ask others. Sessions are sampled as
// OTEL_TRACES_SAMPLER says; a message that was refused, that failed or was slow is
// traced always. Lines of the log say in which trace to look. With --trace-trust and
// --trace-insert traces are followed from hop to hop, by the header Traceparent.
//
// # Send
//
// The command send is an MTA for one mail: it connects to any milter, tells it of an
// SMTP client, an envelope and a message, and prints what the milter answers to each
// stage, what it changes and what the message then is. It needs no MTA and no
// delivery, and so is of use when a filter is written or a mail was treated oddly:
//
//	millstream send -p inet:8891@127.0.0.1 --client-addr 192.0.2.7:4711 mail.eml
//
// The verdict is its exit status: 0 taken, 3 rejected, 4 refused for the time being,
// 5 discarded, 6 quarantined. As with every command 1 is that it did not work, and 2
// a mistake in the call.
//
// # Trace
//
// The command trace shows what MTAs and a server that runs say to each other, for the
// sessions that match: of a client, a sender, a recipient or a queue id. It asks the
// server at its control socket, which only its user and root can reach, and can write
// each session down as a script that the command talk plays to a milter again:
//
//	millstream trace --from '@example.com' --once -o case.txt
//
// # Bench
//
// The command bench is many MTAs at once: it loads any milter with real or synthetic
// mail, as fast as that answers or at given rates, and prints how long that takes, or
// writes it as JSON, as an HdrHistogram log or as a page with plots. Its exit status is
// 3 if a limit that was set is broken, so that a build can watch over a filter:
//
//	millstream bench -p inet:8891@127.0.0.1 --rate 500/30s --max-p99 20ms
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := untilSignal()
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil && !errors.As(err, new(verdict)) {
		complain(os.Stderr, err)
	}
	os.Exit(exitCode(err))
}

// complain says why the program ends.
func complain(w io.Writer, err error) {
	prefix := ""
	if isJournal(w, os.Getenv("JOURNAL_STREAM")) {
		prefix = severityOf(slog.LevelError).prefix()
	}
	fmt.Fprintf(w, "%smillstream: %v\n", prefix, err)
}

// root returns the command with its subcommands.
func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "millstream",
		Short:         "A mail filter server for Postfix and Sendmail",
		Long:          "millstream filters mail for Postfix and Sendmail, which speak the milter protocol to it.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see '%s --help'", err, c.CommandPath())}
	})
	c.AddCommand(serveCommand(), checkCommand(), configCommand(), sendCommand(), talkCommand(), traceCommand(),
		reloadCommand(), benchCommand(), versionCommand())
	return c
}

// usageError is a mistake in the call of the command.
type usageError struct{ error }

// Unwrap returns what the mistake is.
func (e usageError) Unwrap() error { return e.error }

// A verdict is an exit status that tells what became of a mail. It is no failure
// of the command, which has printed it already.
type verdict int

// Error names the exit status.
func (v verdict) Error() string { return fmt.Sprintf("exit status %d", int(v)) }

// exitCode returns the status that a verdict is, 2 for a mistake in the call, and 1
// for everything else that went wrong.
func exitCode(err error) int {
	var v verdict
	switch {
	case err == nil:
		return 0
	case errors.As(err, &v):
		return int(v)
	case errors.As(err, new(usageError)):
		return 2
	}
	return 1
}

// untilSignal returns a context that ends with the first SIGTERM or SIGINT. From
// then on a second one ends the process at once, as if nobody had asked for them.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals)
		cancel()
	}()
	return ctx, cancel
}
