package e2e

import (
	"io"
	"os/exec"
	"syscall"
	"testing"
)

// guard runs a server in its own process group, and ends the group when its
// standard input ends: when the test says so, or when the test process dies.
const guard = `
trap : TERM
"$@" &
read -r _
kill -TERM -$$
wait
`

// A process is a server that was started by a test, with its children.
type process struct {
	cmd   *exec.Cmd
	alive io.Closer // the input of the guard
}

// run starts a server that stays in the foreground, and ends it with the test.
// What it writes goes to out.
func run(tb testing.TB, out io.Writer, env []string, argv ...string) {
	tb.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", guard, "guard"}, argv...)...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p := &process{cmd: cmd, alive: alive}
	tb.Cleanup(func() { p.stop(tb) })
}

// stop ends the whole process group, and fails the test if some of it has to be
// killed.
func (p *process) stop(tb testing.TB) {
	group := -p.cmd.Process.Pid
	defer func() { _ = syscall.Kill(group, syscall.SIGKILL) }() // in vain, normally
	_ = p.alive.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.cmd.Wait() // a signal ends it
	}()
	ended := func() bool { return syscall.Kill(group, 0) == syscall.ESRCH }
	eventually(tb, "the end of "+p.cmd.Args[4], ended)
	<-done
}
