package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"

	"millstream/cmd/internal/config"
)

// firstInherited is the first descriptor that systemd hands over: see sd_listen_fds(3).
const firstInherited = 3

// inherited returns listeners with the descriptors of those that systemd hands over
// under a name. There may be several of a name.
func inherited(listeners []config.Listener, env func(string) string, pid int) ([]config.Listener, error) {
	var all []config.Listener
	for _, l := range listeners {
		name, ok := strings.CutPrefix(l.Socket, config.SystemdPrefix)
		if !ok {
			all = append(all, l)
			continue
		}
		names := inheritedNames(env, pid)
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s: systemd has handed over no socket of that name, but %q: "+
				"start the socket unit, and write FileDescriptorName=%s there", l.Socket, names, name)
		}
		for i, n := range names {
			if n == name {
				one := l
				one.Socket = "fd:" + strconv.Itoa(firstInherited+i)
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// inheritedNames returns the names of the descriptors that systemd has handed over to
// the process, in their order.
func inheritedNames(env func(string) string, pid int) []string {
	if env("LISTEN_PID") != strconv.Itoa(pid) {
		return nil
	}
	count, err := strconv.Atoi(env("LISTEN_FDS"))
	if err != nil || count <= 0 {
		return nil
	}
	names := strings.Split(env("LISTEN_FDNAMES"), ":")
	return names[:min(count, len(names))]
}

// What systemd is told, if it wants to know: see sd_notify(3).
const (
	notifyReady    = daemon.SdNotifyReady
	notifyStopping = daemon.SdNotifyStopping
)

// notifyReloading returns what is told when a reload begins, with the time of that.
func notifyReloading() string {
	return daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()
}

// notify tells systemd of a state. Without a unit that asks for it nobody is told.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd cannot be told of the state of the server", "state", state, "err", err)
	}
}
