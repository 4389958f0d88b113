package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"millstream/cmd/internal/config"
	"millstream/handlers"
)

// serveFlags are the flags of the command serve. They count more than the file.
type serveFlags struct {
	file        string
	sockets     []string
	mode, group string
	maxSessions int
	loops       int
	grace       time.Duration
	logFormat   string
	logLevel    slog.Level
	syslog      string // its facility; empty is none
	syslogAt    string // its socket
	admin       string
	adminGiven  bool
	control     string
	addresses   string                              // in traces
	trusted     []string                            // networks
	insert      bool                                // a traceparent
	given       func(flag string) bool              // nil: all of them
	filter      func(*slog.Logger) handlers.Handler // in place of the handlers of the file, if not nil
}

// define adds the flags. level is where that of the log goes.
func (f *serveFlags) define(fl *pflag.FlagSet, level *string) {
	fl.StringVarP(&f.file, "config", "c", "", "`file` with the configuration")
	fl.StringArrayVarP(&f.sockets, "socket", "p", []string{defaultSocket}, "`socket` to listen on; may be given again")
	fl.StringVar(&f.mode, "unix-mode", "0660", "access `mode` of Unix sockets, octal")
	fl.StringVar(&f.group, "unix-group", "", "`group` of Unix sockets, such as postfix")
	fl.IntVar(&f.maxSessions, "max-sessions", 0, "open connections at most; 0 is no limit")
	fl.IntVar(&f.loops, "loops", 0, "event loops; 0 is one for each CPU")
	fl.DurationVar(&f.grace, "grace", 30*time.Second, "how long sessions may go on after a signal to end")
	fl.StringVar(&f.logFormat, "log-format", logAuto, "how the log is written: text, json, journal, or auto, which is what suits where it goes")
	fl.StringVar(&f.syslog, "syslog", "", "log to syslog, not to standard error, with a `facility`")
	fl.Lookup("syslog").NoOptDefVal = defaultFacility
	fl.StringVar(&f.syslogAt, "syslog-socket", "", "Unix `socket` of syslog, if it is not the usual one")
	fl.StringVar(level, "log-level", "info", "debug, info, warn or error")
	fl.StringVar(&f.admin, "admin", defaultAdmin, "`address` of the admin pages, over HTTP; empty is none")
	fl.StringVar(&f.control, "control", config.ControlAuto, "`path` of the control socket; '' is none, auto where it is said above")
	fl.StringVar(&f.addresses, "trace-addresses", "off", "`what` traces tell of senders, recipients and clients: off, hashed or clear")
	fl.StringArrayVar(&f.trusted, "trace-trust", nil, "`network` of SMTP clients whose Traceparent header is believed; may be given again")
	fl.BoolVar(&f.insert, "trace-insert", false, "put a Traceparent header into messages that are traced, in place of theirs")
}

// load returns the configuration: that of the file, or the one of the program, with what
// the flags say.
func (f *serveFlags) load() (c *config.Config, err error) {
	if c, err = readConfig(f.file); err != nil {
		return nil, err
	}
	trust, err := networks(f.trusted)
	if err != nil {
		return nil, err
	}
	for flag, set := range map[string]func(){
		"max-sessions":    func() { c.Limits.MaxSessions = f.maxSessions },
		"loops":           func() { c.Limits.Loops = f.loops },
		"grace":           func() { c.Limits.Grace = f.grace },
		"log-format":      func() { c.Log.Format = f.logFormat },
		"log-level":       func() { c.Log.Level = strings.ToLower(f.logLevel.String()) },
		"syslog":          func() { c.Log.Syslog = f.syslog },
		"syslog-socket":   func() { c.Log.SyslogSocket = f.syslogAt },
		"control":         func() { c.Control.Path = f.control },
		"trace-trust":     func() { c.OTel.TraceTrust = trust },
		"trace-insert":    func() { c.OTel.TraceInsert = f.insert },
		"admin":           func() { c.Admin.Address = f.admin },
		"trace-addresses": func() { c.OTel.TraceAddresses = f.addresses },
	} {
		if f.has(flag) {
			set()
		}
	}
	if known := []string{"off", "hashed", "clear"}; !slices.Contains(known, c.OTel.TraceAddresses) {
		return nil, usageError{fmt.Errorf("trace addresses: %q is none of off, hashed and clear", c.OTel.TraceAddresses)}
	}
	return c, f.listeners(c)
}

// has reports whether a flag was given.
func (f *serveFlags) has(flag string) bool { return f.given == nil || f.given(flag) }

// listeners has the server listen where the flags say.
func (f *serveFlags) listeners(c *config.Config) error {
	mode, err := strconv.ParseUint(f.mode, 8, 32)
	if err != nil || fs.FileMode(mode)&^fs.ModePerm != 0 {
		return usageError{fmt.Errorf("unix mode %q is not octal, such as 0660", f.mode)}
	}
	if f.has("socket") {
		c.Listeners = make([]config.Listener, len(f.sockets))
		for i, s := range f.sockets {
			c.Listeners[i].Socket = s
		}
	}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if f.has("unix-mode") {
			l.Mode = config.Mode(mode)
		}
		if f.has("unix-group") {
			l.Group = f.group
		}
	}
	if c.Listeners, err = inherited(c.Listeners, os.Getenv, os.Getpid()); err != nil {
		return usageError{err}
	}
	return nil
}

// setVariables sets the variables of OpenTelemetry that the file stands for. What the
// environment says counts more.
func setVariables(o *config.OTel) error {
	pairs := o.Variables()
	_, sampled := os.LookupEnv(config.SamplerVariable)
	for i := 0; i < len(pairs); i += 2 {
		if _, set := os.LookupEnv(pairs[i]); set || sampled && strings.HasPrefix(pairs[i], config.SamplerVariable) {
			continue
		}
		if err := os.Setenv(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}
