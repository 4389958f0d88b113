package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"millstream/actors"
	"millstream/cmd/internal/config"
	"millstream/handlers"
	"millstream/netio"
	"millstream/protocol"
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
	var level slog.Level
	if err := errors.Join(level.UnmarshalText([]byte(settings.Log.Level)), setVariables(&settings.OTel)); err != nil {
		return err
	}
	plain, closeLog, err := openLog(&settings.Log, level, errOut)
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
	log := told.logger(plain, level)
	server, stop, err := listen(settings, f.filter, told, func(c *actors.Config) {
		c.Log, c.Tracer, c.Meter, c.Timelines = log, told.tracer, told.meter, pages.timelines()
	})
	if err != nil {
		pages.abandon()
		return err
	}
	defer stop()
	requests, err := openControl(settings.Control.Path, log)
	if err != nil {
		pages.abandon()
		return errors.Join(err, server.Shutdown(ctx))
	}
	defer requests.serve(log, traceRoute(server.Tap, log))()
	defer pages.watch(server, told.registry, log)()
	printHints(out, server.Addrs())
	log.Info("listening", "version", version(), "pid", os.Getpid(), "addrs", addrTexts(server.Addrs()),
		"control", requests.String(), "admin", pages.String())
	return serveUntil(ctx, server, settings.Limits.Grace, &pages.up, log)
}

// listen opens the sockets of a configuration, for its handlers or those of instead if
// that is not nil. see sets what sessions report to. stop closes what the handlers hold,
// when no session is left.
func listen(c *config.Config, instead func(*slog.Logger) handlers.Handler, told *telemetry, see func(*actors.Config)) (server *netio.Server, stop func(), err error) {
	cfg := c.Server()
	see(&cfg.Sessions)
	log := cfg.Sessions.Log
	generation, err := open(c, &cfg.Sessions)
	if err != nil {
		return nil, nil, err
	}
	stop = func() {
		if err := generation.Close(); err != nil {
			log.Warn("not all that the handlers held was closed", "err", err)
		}
	}
	served, macros := filter(c, generation, log), generation.Macros
	if instead != nil {
		served, macros = instead(log), protocol.MacroLists{}
	}
	cfg.Sessions.Macros = macros
	if server, err = netio.Listen(cfg, handlers.Shared(followed(&c.OTel, served, told, log))); err != nil {
		stop()
		return nil, nil, err
	}
	return server, stop, nil
}

// serveUntil serves until ctx ends and the sessions have.
func serveUntil(ctx context.Context, server *netio.Server, grace time.Duration, up *health, log *slog.Logger) error {
	told := make(chan struct{})
	up.serving.Store(true)
	wait := context.AfterFunc(ctx, func() {
		defer close(told)
		up.serving.Store(false)
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
