package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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
