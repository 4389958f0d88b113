package main

import (
	"errors"
	"fmt"
	"log/syslog"
	"maps"
	"slices"
	"strings"
)

// syslogTag is what syslog calls the program.
const syslogTag = "millstream"

// defaultFacility is where the log of mail servers goes.
const defaultFacility = "mail"

// facilities are those of syslog that a daemon may use.
var facilities = map[string]syslog.Priority{
	"mail": syslog.LOG_MAIL, "daemon": syslog.LOG_DAEMON, "user": syslog.LOG_USER,
	"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2, "local3": syslog.LOG_LOCAL3,
	"local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5, "local6": syslog.LOG_LOCAL6, "local7": syslog.LOG_LOCAL7,
}

// syslogSink gives lines to the syslog daemon of this machine. When that is started
// again, so is the connection.
type syslogSink struct{ w *syslog.Writer }

// openSyslog connects to syslog, at a Unix socket; "" is where it usually is.
func openSyslog(facility, socket string) (lineSink, error) {
	f, ok := facilities[facility]
	if !ok {
		return nil, usageError{fmt.Errorf("syslog facility %q is none of %s", facility,
			strings.Join(slices.Sorted(maps.Keys(facilities)), ", "))}
	}
	var errs []error
	for _, network := range []string{"unixgram", "unix"} { // of messages, or of bytes
		if socket == "" {
			network = "" // it tries both
		}
		w, err := syslog.Dial(network, socket, f|syslog.LOG_INFO, syslogTag)
		if err == nil {
			return syslogSink{w}, nil
		}
		if errs = append(errs, err); socket == "" {
			break
		}
	}
	return nil, fmt.Errorf("nobody takes the log: start a syslog daemon, name its socket with --syslog-socket, or leave out --syslog: %w",
		errors.Join(errs...))
}

func (s syslogSink) writeLine(n severity, line []byte) error {
	return severities[n].write(s.w, string(line))
}

// Close is [io.Closer].
func (s syslogSink) Close() error { return s.w.Close() }
