package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"millstream/actors"
	"millstream/handlers"
	"millstream/netio"
)

// defaultSocket is where the server listens if it is not told.
const defaultSocket = "inet:8890@127.0.0.1"

// serveFlags are the flags of the command serve.
type serveFlags struct {
	sockets      []string
	mode, group  string
	maxSessions  int
	loops        int
	grace        time.Duration
	logFormat    string
	logLevel     slog.Level
	syslog       string // its facility; empty is none
	syslogSocket string
	admin        string
	adminGiven   bool
	control      string
	controlGiven bool
	addresses    string // in traces
	trusted      []string
	trust        []netip.Prefix // what trusted says
	insert       bool           // a traceparent
	filter       func(*slog.Logger) handlers.Handler
}

// addressesNamed is what traces may tell of addresses.
var addressesNamed = map[string]actors.Addresses{
	"off": actors.AddressesOff, "hashed": actors.AddressesHashed, "clear": actors.AddressesClear,
}

// serveCommand runs the filter server.
func serveCommand() *cobra.Command {
	f := serveFlags{filter: defaultFilter}
	level := "info"
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the filter server",
		Long: `Run the filter server until SIGTERM or SIGINT. It then stops listening and lets
sessions go on until their MTAs leave, up to --grace; a second signal ends it at
once.

Without a configuration it adds a header ` + defaultHeader + ` to every message and logs a
line for it; it refuses nothing.

Sockets are written as Sendmail does, inet:8890@127.0.0.1, inet6:8890@::1 or
unix:/run/millstream.sock, or as Postfix does, inet:127.0.0.1:8890; fd:3 is an
inherited one.

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
			f.adminGiven, f.controlGiven = c.Flags().Changed("admin"), c.Flags().Changed("control")
			return serve(c.Context(), &f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.StringArrayVarP(&f.sockets, "socket", "p", []string{defaultSocket}, "`socket` to listen on; may be given again")
	fl.StringVar(&f.mode, "unix-mode", "0660", "access `mode` of Unix sockets, octal")
	fl.StringVar(&f.group, "unix-group", "", "`group` of Unix sockets, such as postfix")
	fl.IntVar(&f.maxSessions, "max-sessions", 0, "open connections at most; 0 is no limit")
	fl.IntVar(&f.loops, "loops", 0, "event loops; 0 is one for each CPU")
	fl.DurationVar(&f.grace, "grace", 30*time.Second, "how long sessions may go on after a signal to end")
	fl.StringVar(&f.logFormat, "log-format", logAuto, "how the log is written: text, json, journal, or auto, which is what suits where it goes")
	fl.StringVar(&f.syslog, "syslog", "", "log to syslog, not to standard error, with a `facility`")
	fl.Lookup("syslog").NoOptDefVal = defaultFacility
	fl.StringVar(&f.syslogSocket, "syslog-socket", "", "Unix `socket` of syslog, if it is not the usual one")
	fl.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	fl.StringVar(&f.admin, "admin", defaultAdmin, "`address` of the admin pages, over HTTP; empty is none")
	fl.StringVar(&f.control, "control", "", "`path` of the control socket; '' is none (see above where it is otherwise)")
	fl.StringVar(&f.addresses, "trace-addresses", "off", "`what` traces tell of senders, recipients and clients: off, hashed or clear")
	fl.StringArrayVar(&f.trusted, "trace-trust", nil, "`network` of SMTP clients whose Traceparent header is believed; may be given again")
	fl.BoolVar(&f.insert, "trace-insert", false, "put a Traceparent header into messages that are traced, in place of theirs")
	return c
}

// serve runs the server until ctx ends. What an admin has to know goes to out, the
// log to errOut.
func serve(ctx context.Context, f *serveFlags, out, errOut io.Writer) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	plain, closeLog, err := f.openLog(errOut)
	if err != nil {
		return err
	}
	defer closeLog()
	pages, err := openAdmin(ctx, f.admin, f.adminGiven, plain)
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
	log := told.logger(plain, f.logLevel)
	sessions := &cfg.Sessions
	sessions.Log, sessions.Tracer, sessions.Meter, sessions.Timelines = log, told.tracer, told.meter, pages.timelines()
	server, err := netio.Listen(cfg, handlers.Shared(f.followed(f.filter(log), told, log)))
	if err != nil {
		pages.abandon()
		return err
	}
	requests, err := openControl(f.control, f.controlGiven, log)
	if err != nil {
		pages.abandon()
		return errors.Join(err, server.Shutdown(ctx))
	}
	defer requests.serve(log, traceRoute(server.Tap, log))()
	defer pages.watch(server, told.registry, log)()
	printHints(out, server.Addrs())
	log.Info("listening", "version", version(), "pid", os.Getpid(), "addrs", addrTexts(server.Addrs()),
		"control", requests.String(), "admin", pages.String())
	return serveUntil(ctx, server, f.grace, &pages.up, log)
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

// config returns what the flags say of the server.
func (f *serveFlags) config() (cfg netio.Config, err error) {
	mode, err := strconv.ParseUint(f.mode, 8, 32)
	if err != nil {
		return cfg, usageError{fmt.Errorf("unix mode %q is not octal, such as 0660", f.mode)}
	}
	addresses, ok := addressesNamed[f.addresses]
	if !ok {
		return cfg, usageError{fmt.Errorf("trace addresses: %q is none of off, hashed and clear", f.addresses)}
	}
	if f.trust, err = networks(f.trusted); err != nil {
		return cfg, err
	}
	cfg = netio.Config{
		Listen: f.sockets, UnixMode: fs.FileMode(mode), UnixGroup: f.group,
		MaxSessions: f.maxSessions, Loops: f.loops, Grace: f.grace,
		Sessions: actors.Config{TraceAddresses: addresses, TraceLinks: len(f.trust) > 0},
	}
	if cfg.Grace == 0 {
		cfg.Grace = -1
	}
	return cfg, nil
}
