package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"millstream/bench/load"
)

// The kinds of neighbours.
const (
	heavy = "heavy" // one session, with one message of 50 MiB after the other
	slow  = "slow"  // messages that wait for a function that takes its time
)

// slowSender is whose messages our server lets wait.
const slowSender = "<slow@example.com>"

// beNeighbour is all that a process of this program does as a neighbour: it loads a
// server until ctx ends. It writes a line when it has had a verdict.
func beNeighbour(ctx context.Context, w io.Writer, kind, socket string) error {
	cfg := load.Config{Address: socket, Workers: 1, Expect: []string{"X-Peer"}}
	switch kind {
	case heavy:
		cfg.Connections, cfg.Mails = 1, mail(usualHeaders, "50MiB", "")
	case slow:
		cfg.Connections, cfg.Mails = 1, mail(usualHeaders, usualBody, slowSender)
	default:
		return fmt.Errorf("a neighbour is %s or %s, not %q", heavy, slow, kind)
	}
	told := false
	r, err := load.Run(ctx, cfg, func(p load.Progress) {
		if p.Total > 0 && !told {
			told = true
			fmt.Fprintln(w, "under way")
		}
	})
	if err == nil && r.Failures() > 0 {
		err = fmt.Errorf("%v", r.Samples)
	}
	return err
}

// A neighbour is such a process.
type neighbour struct{ cmd *exec.Cmd }

// newNeighbour starts one, and waits until it is under way.
func newNeighbour(kind, socket string) (*neighbour, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	n := &neighbour{restPlace.command(self, "-neighbour", kind, "-at", socket)}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	late := time.AfterFunc(30*time.Second, func() { _ = n.cmd.Process.Kill() })
	defer late.Stop()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, errors.Join(errors.New("the neighbour has not come under way"), n.stop())
	}
	return n, nil
}

func (n *neighbour) stop() error {
	_ = n.cmd.Process.Signal(unix.SIGTERM)
	late := time.AfterFunc(30*time.Second, func() { _ = n.cmd.Process.Kill() })
	defer late.Stop()
	return n.cmd.Wait()
}

// sent returns how many bytes a neighbour has written so far; 0 if the kernel does
// not tell.
func (n *neighbour) sent() (bytes float64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", n.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if count, found := strings.CutPrefix(line, "wchar: "); found {
			bytes, _ = strconv.ParseFloat(strings.TrimSpace(count), 64)
		}
	}
	return bytes
}
