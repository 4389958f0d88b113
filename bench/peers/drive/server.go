package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A setup says how a server is to run.
type setup struct {
	peer string
	at   place
	inet bool
	args []string
	env  []string
}

// A server is a running peer.
type server struct {
	cmd    *exec.Cmd
	socket string // in milter notation
}

// start starts a server at a socket of its own, and waits until it listens.
func (s *series) start(u setup) (*server, error) {
	s.sockets++
	network, address := "unix", filepath.Join(s.dir, fmt.Sprint(s.sockets))
	socket := "unix:" + address
	if u.inet {
		port := 20000 + s.sockets
		network, address = "tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
		socket = fmt.Sprintf("inet:%d@127.0.0.1", port)
	}
	v := &server{u.at.command(s.path(u.peer), append([]string{"-addr", socket}, u.args...)...), socket}
	v.cmd.Env = append(v.cmd.Env, u.env...)
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		c, err := net.Dial(network, address)
		if err == nil {
			return v, c.Close()
		}
		if time.Now().After(deadline) {
			v.stop()
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (v *server) stop() {
	_ = v.cmd.Process.Signal(unix.SIGTERM)
	done := make(chan struct{})
	go func() { _ = v.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second):
		_ = v.cmd.Process.Kill()
		<-done
	}
}

// cpuModel returns the name of the CPUs.
func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	for line := range strings.Lines(string(b)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}
