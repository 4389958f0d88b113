// Package redistest runs a redis-server in a test, to be killed and started again, for
// those who test what becomes of a filter then. A test is skipped where there is none.
package redistest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Patience is how long anything may take that has to happen.
const Patience = 20 * time.Second

// Eventually waits until something is so, and fails the test if that takes longer than
// [Patience].
func Eventually(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(Patience); !so(); <-pause.C {
		if time.Now().After(deadline) {
			tb.Fatalf("never: %s", what)
		}
	}
}

// A Server is a redis-server of a test. It keeps nothing over a restart, unless its
// arguments say so.
type Server struct {
	// Socket is the path of its unix socket.
	Socket string

	tb   testing.TB
	args []string
	cmd  *exec.Cmd
}

// Start starts a redis-server with a directory and a socket of its own, and with further
// arguments. It ends with the test.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		tb.Skip("there is no redis-server: apt-get install redis-server brings it")
	}
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // tb.TempDir may be too long for a socket
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, Socket: filepath.Join(dir, "s")}
	s.args = append([]string{program}, args...)
	s.args = append(s.args, "--unixsocket", s.Socket, "--dir", dir)
	sentinel := slices.Contains(args, "--sentinel")
	if !sentinel && !slices.Contains(args, "--appendonly") {
		s.args = append(s.args, "--save", "", "--appendonly", "no")
	}
	if !sentinel && !slices.Contains(args, "--port") {
		s.args = append(s.args, "--port", "0")
	}
	tb.Cleanup(func() {
		s.Kill()
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	s.Run()
	return s
}

// Run starts the process, again after Kill, and waits until it listens.
func (s *Server) Run() {
	s.tb.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	Eventually(s.tb, "redis-server listens", func() bool {
		c, err := net.Dial("unix", s.Socket)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// Kill ends the process as a crash would.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Signal sends the process a signal.
func (s *Server) Signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatal(err)
	}
}

// Has reports whether an argument was given to Start.
func (s *Server) Has(arg string) bool { return slices.Contains(s.args, arg) }
