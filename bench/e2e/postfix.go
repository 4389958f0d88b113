package e2e

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// postfix is the mail server Postfix, as a package installs it.
var postfix = program{
	name: "postfix",
	missing: func() string {
		if why := rootOnly(); why != "" {
			return why
		}
		return lacks("postfix", "postconf")
	},
	start: startPostfix,
}

// startPostfix runs a Postfix of its own.
func startPostfix(tb testing.TB, milter net.Addr, sink string) *mta {
	tb.Helper()
	dir, port := workDir(tb), freePort(tb)
	conf := filepath.Join(dir, "conf")
	for _, d := range []string{"conf", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	chownTo(tb, "postfix", filepath.Join(dir, "data"))
	values := map[string]string{"Dir": dir, "Port": port, "Sink": sink, "Milter": postfixNotation(milter)}
	configure(tb, "postfix/main.cf", filepath.Join(conf, "main.cf"), values)
	configure(tb, "postfix/master.cf", filepath.Join(conf, "master.cf"), values)

	// The check makes the directories of the queue.
	if out, err := exec.Command("postfix", "-c", conf, "check").CombinedOutput(); err != nil {
		tb.Fatalf("postfix check: %v\n%s", err, out)
	}
	log := filepath.Join(dir, "log")
	m := &mta{
		name: "postfix",
		addr: net.JoinHostPort("127.0.0.1", port),
		dir:  dir,
		log:  func() string { b, _ := os.ReadFile(log); return string(b) },
		held: func(id string) string { return filepath.Join(dir, "queue", "hold", id) },
	}
	daemons := postconf(tb, conf, "daemon_directory")
	run(tb, nil, os.Environ(), filepath.Join(daemons, "master"), "-c", conf, "-d")
	m.up(tb)
	return m
}

// chownTo gives a directory to a user.
func chownTo(tb testing.TB, name, dir string) {
	tb.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		tb.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	if err := os.Chown(dir, uid, -1); err != nil {
		tb.Fatal(err)
	}
}

// postconf returns a parameter of a configuration.
func postconf(tb testing.TB, conf, name string) string {
	tb.Helper()
	out, err := exec.Command("postconf", "-c", conf, "-h", name).Output()
	if err != nil {
		tb.Fatalf("postconf %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// postfixNotation writes the address of a milter as Postfix wants it.
func postfixNotation(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return "inet:" + a.String()
}
