package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pin has a process run on one CPU, if there is more than one.
func pin(pid, cpu int) bool {
	var set unix.CPUSet
	set.Set(cpu)
	return cpu > 0 && unix.SchedSetaffinity(pid, &set) == nil
}

// server is a running peer.
type server struct {
	cmd  *exec.Cmd
	addr string // for package net
	net  string
}

// start starts a peer on the first CPU, and waits until it listens.
func start(path, socket string, c testCase) (*server, error) {
	args := []string{"-addr", socket}
	if c.stream {
		args = append(args, "-stream")
	}
	s := &server{cmd: exec.Command("taskset", append([]string{"-c", "0", path}, args...)...)}
	s.cmd.Stderr = os.Stderr
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if c.idle { // what is needed, not what the collector leaves for later
		s.cmd.Env = append(s.cmd.Env, "GOGC=10")
	}
	s.net, s.addr, _ = strings.Cut(socket, ":")
	if s.net == "inet" {
		port, host, _ := strings.Cut(s.addr, "@")
		s.net, s.addr = "tcp", net.JoinHostPort(host, port)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		c, err := net.Dial(s.net, s.addr)
		if err == nil {
			return s, c.Close()
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(unix.SIGTERM)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second):
		_ = s.cmd.Process.Kill()
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
