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
	"time"

	"github.com/spf13/cobra"

	"millstream/cmd/internal/config"
	"millstream/netio"
)

// defaultSocket is where the server listens if it is not told.
const defaultSocket = config.DefaultSocket

// serveCommand runs the filter server.
func serveCommand() *cobra.Command {
	var f serveFlags
	level := "info"
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the filter server",
		Long: `Run the filter server until SIGTERM or SIGINT. It then stops listening and lets
sessions go on until their MTAs leave, up to --grace; a second signal ends it at
once.

What it does is said by the file of --config, and the files conf.d/*.toml beside it;
'millstream config example' prints one that explains all of it. Without a file it is
that one, which adds a header X-Millstream to every message, logs a line for it and
refuses nothing. Flags count more than the file, and --socket is in place of all its
listeners.

At SIGHUP, and at 'millstream reload', which says what comes of it, the file is read
again. If there is no mistake in it, sessions that begin from then on have what it says;
those under way keep their handlers until their MTAs leave. Listeners and a few more are
taken up at the start alone: they are named where they have changed.

Sockets are written as Sendmail does, inet:8890@127.0.0.1, inet6:8890@::1 or
unix:/run/millstream.sock, or as Postfix does, inet:127.0.0.1:8890; fd:3 is an
inherited one, and systemd:NAME one of a socket unit.

At the admin address is a page that shows the sessions and the last messages; also
/livez (the process is up), /readyz (new connections are taken) and /metrics. Who can
reach it can read it. If nothing is said and another program has the address, the
server does without.

` + logHelp + `

` + controlHelp + `

` + telemetryHelp,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.logLevel.UnmarshalText([]byte(level)); err != nil {
				return usageError{fmt.Errorf("log level: %w", err)}
			}
			f.given = c.Flags().Changed
			f.adminGiven = f.given("admin")
			return serve(c.Context(), &f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.define(c.Flags(), &level)
	return c
}

// serve runs the server until ctx ends. What an admin has to know goes to out, the
// log to errOut.
func serve(ctx context.Context, f *serveFlags, out, errOut io.Writer) error {
	settings, err := f.load()
	if err != nil {
		return printMistakes(errOut, err)
	}
	level, err := levelOf(settings)
	if err := errors.Join(err, setVariables(&settings.OTel)); err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	leveler := new(slog.LevelVar)
	leveler.Set(level)
	plain, closeLog, err := openLog(&settings.Log, leveler, errOut)
	if err != nil {
		return err
	}
	defer closeLog()
	pages, err := openAdmin(ctx, settings.Admin.Address, f.adminGiven || settings.Has("admin.address"), plain)
	if err != nil {
		return err
	}
	told, err := openTelemetry(ctx, plain, pages.open())
	if err != nil {
		pages.abandon()
		return err
	}
	defer func() {
		if err := told.close(ctx); err != nil {
			plain.Warn("not all of the telemetry was sent", "err", err)
		}
	}()
	log := told.logger(plain, leveler)
	m := &maker{load: f.load, instead: f.filter, told: told, log: log, level: leveler, timelines: pages.timelines()}
	server, again, err := m.listen(settings)
	if err != nil {
		pages.abandon()
		return err
	}
	defer again.close()
	requests, err := openControl(settings.Control.Path, log)
	if err != nil {
		pages.abandon()
		return errors.Join(err, server.Shutdown(ctx))
	}
	defer requests.serve(log, traceRoute(server.Tap, log), reloadRoute(again))()
	defer pages.watch(server, again.state, told.registry, log)()
	defer again.follow(ctx, hup)()
	printHints(out, server.Addrs())
	log.Info("listening", "version", version(), "pid", os.Getpid(), "addrs", addrTexts(server.Addrs()),
		"control", requests.String(), "admin", pages.String())
	return serveUntil(ctx, server, settings.Limits.Grace, &pages.up, log)
}

// serveUntil serves until ctx ends and the sessions have.
func serveUntil(ctx context.Context, server *netio.Server, grace time.Duration, up *health, log *slog.Logger) error {
	told := make(chan struct{})
	up.serving.Store(true)
	notify(log, notifyReady)
	wait := context.AfterFunc(ctx, func() {
		defer close(told)
		up.serving.Store(false)
		notify(log, notifyStopping)
		log.Info("stopping: no new connections, sessions go on until their MTAs leave",
			"sessions", server.Len(), "grace", grace)
	})
	err := server.Serve(ctx)
	if !wait() {
		<-told
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}
