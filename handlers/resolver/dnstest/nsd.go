// Package dnstest has name servers for tests: NSD with zones that a test writes, and
// sockets that answer whatever a test wants.
package dnstest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// errMissing says that NSD is not installed.
var errMissing = errors.New("nsd is not installed: apt-get install nsd")

// A TB is a test, as *testing.T is one: servers end with it.
type TB interface {
	Helper()
	Cleanup(f func())
	TempDir() string
	Skip(args ...any)
	Fatal(args ...any)
}

// An NSD is a running server on a loopback port of its own. It has several processes,
// which are a group.
type NSD struct {
	// Addr is its address with the port, for UDP and TCP.
	Addr string

	argv []string
	cmd  *exec.Cmd // nil while it is stopped
	log  *io.PipeReader
}

// header begins each zone. The SOA says that it is kept for 60 s that a name is not
// there.
const header = `$TTL 300
@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60
@ NS ns.invalid.
`

const config = `server:
	ip-address: 127.0.0.1@%[2]s
	server-count: 1
	username: ""
	chroot: ""
	zonesdir: "%[1]s"
	database: ""
	pidfile: ""
	xfrdfile: "%[1]s/xfrd"
	zonelistfile: "%[1]s/zonelist"
	xfrdir: "%[1]s"
	logfile: ""
	minimal-responses: no
	rrl-ratelimit: 0
remote-control:
	control-enable: no
`

// Run runs NSD with zones. The records of each zone stand below its SOA, as in a zone
// file. Where NSD is not installed the test is skipped.
func Run(t TB, zones map[string]string) *NSD {
	t.Helper()
	n, err := start(t.TempDir(), zones)
	if n != nil {
		t.Cleanup(n.Stop)
	}
	switch {
	case errors.Is(err, errMissing):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return n
}

// start runs NSD with zones, in a directory for its files.
func start(dir string, zones map[string]string) (*NSD, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	fmt.Fprintf(&text, config, dir, port)
	for zone, records := range zones {
		fmt.Fprintf(&text, "zone:\n\tname: %q\n\tzonefile: %q\n", zone, zone+".zone")
		if err := os.WriteFile(filepath.Join(dir, zone+".zone"), []byte(header+records), 0o600); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(dir, "nsd.conf")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	n := &NSD{Addr: net.JoinHostPort("127.0.0.1", port), argv: []string{program, "-d", "-c", file}}
	return n, n.Start()
}

// Start runs a server again that was stopped, at the same address.
func (n *NSD) Start() error {
	read, write := io.Pipe()
	cmd := exec.Command(n.argv[0], n.argv[1:]...)
	cmd.Stderr, cmd.Stdout = write, write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	n.cmd, n.log = cmd, read
	go func() { _ = write.CloseWithError(cmd.Wait()) }() // ends with the process, as does the reader
	return n.ready()
}

// ready waits until the server has said that it has started.
func (n *NSD) ready() error {
	var said []string
	for lines := bufio.NewScanner(n.log); lines.Scan(); {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "nsd started") {
			go func() { _, _ = io.Copy(io.Discard, n.log) }()
			return nil
		}
	}
	return fmt.Errorf("nsd did not start:\n%s", strings.Join(said, "\n"))
}

// Stop ends the server, whose port is then closed. It may be called again.
func (n *NSD) Stop() {
	if n.cmd == nil {
		return
	}
	_ = n.signal(syscall.SIGKILL)
	_, _ = io.Copy(io.Discard, n.log) // until it is gone
	n.cmd = nil
}

// Hang stops the server from answering, and Resume lets it go on.
func (n *NSD) Hang() error { return n.signal(syscall.SIGSTOP) }

// Resume lets a server that hangs go on.
func (n *NSD) Resume() error { return n.signal(syscall.SIGCONT) }

func (n *NSD) signal(s syscall.Signal) error { return syscall.Kill(-n.cmd.Process.Pid, s) }

// find returns the program, which is not where users look for programs.
func find() (string, error) {
	for _, name := range []string{"nsd", "/usr/sbin/nsd", "/usr/local/sbin/nsd"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errMissing
}

// freePort returns a port that is free for UDP and TCP.
func freePort() (string, error) {
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		defer listener.Close()
		conn, err := net.ListenPacket("udp", listener.Addr().String())
		if err != nil {
			continue
		}
		defer func() { _ = conn.Close() }()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		return port, err
	}
}
