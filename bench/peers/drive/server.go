package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
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
func start(path, socket string, stream bool) (*server, error) {
	args := []string{"-addr", socket}
	if stream {
		args = append(args, "-stream")
	}
	s := &server{cmd: exec.Command("taskset", append([]string{"-c", "0", path}, args...)...)}
	s.cmd.Stderr = os.Stderr
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
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

// cpu returns the CPU time that the server has used, in clock ticks of 10 ms.
func (s *server) cpu() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return float64(user + system), errors.Join(err1, err2)
}

// row returns the line of a table for the costs of two peers.
func row(name string, costs [][]float64) string {
	var ratios []float64
	for i := range costs[0] {
		ratios = append(ratios, costs[0][i]/costs[1][i])
	}
	return fmt.Sprintf("| %s | %.1f µs | %.1f µs | %.2f | %.2f to %.2f |", name,
		median(costs[0]), median(costs[1]), median(ratios), slices.Min(ratios), slices.Max(ratios))
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
