package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
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
	sockets     []string
	mode, group string
	maxSessions int
	loops       int
	grace       time.Duration
	logFormat   string
	logLevel    slog.Level
}

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

Without a configuration it adds a header ` + defaultHeader + ` to every message and logs a
line for it; it refuses nothing.

Sockets are written as Sendmail does, inet:8890@127.0.0.1, inet6:8890@::1 or
unix:/run/millstream.sock, or as Postfix does, inet:127.0.0.1:8890; fd:3 is an
inherited one.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.logLevel.UnmarshalText([]byte(level)); err != nil {
				return usageError{fmt.Errorf("log level: %w", err)}
			}
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
	fl.StringVar(&f.logFormat, "log-format", "text", "text or json")
	fl.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return c
}

// serve runs the server until ctx ends. What an admin has to know goes to out, the
// log to errOut.
func serve(ctx context.Context, f *serveFlags, out, errOut io.Writer) error {
	mode, err := strconv.ParseUint(f.mode, 8, 32)
	if err != nil {
		return usageError{fmt.Errorf("unix mode %q is not octal, such as 0660", f.mode)}
	}
	log, closeLog, err := newLogger(errOut, f.logFormat, f.logLevel)
	if err != nil {
		return err
	}
	defer closeLog()
	grace := f.grace
	if grace == 0 {
		grace = -1
	}
	server, err := netio.Listen(netio.Config{
		Listen: f.sockets, UnixMode: fs.FileMode(mode), UnixGroup: f.group,
		MaxSessions: f.maxSessions, Loops: f.loops, Grace: grace,
		Sessions: actors.Config{Log: log},
	}, handlers.Shared(defaultFilter(log)))
	if err != nil {
		return err
	}
	printHints(out, server.Addrs())
	log.Info("listening", "version", version(), "pid", os.Getpid(), "addrs", addrTexts(server.Addrs()))
	context.AfterFunc(ctx, func() {
		log.Info("stopping: no new connections, sessions go on until their MTAs leave",
			"sessions", server.Len(), "grace", f.grace)
	})
	if err := server.Serve(ctx); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}
