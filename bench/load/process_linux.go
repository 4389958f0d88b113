package load

import (
	"os"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// clockTick is the unit in which the kernel counts the time of a process.
const clockTick = 10 * time.Millisecond

// A process is one that is looked at by way of /proc. The zero process is not known.
type process struct {
	pid  int
	proc *procfs.Proc
}

// openProcess returns a process, which is not known if it cannot be looked at.
func openProcess(pid int) process {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return process{pid: pid}
	}
	return process{pid, &p}
}

func ownProcess() process { return openProcess(os.Getpid()) }

func (p process) known() bool { return p.proc != nil }

// time returns the CPU time that a process has used. All of it is known to the
// nanosecond; how much of that was the user's, to the tick.
func (p process) time() (t processTime) {
	if !p.known() {
		return t
	}
	stat, err := p.proc.Stat()
	if err != nil { // it has ended
		return t
	}
	t = processTime{all: time.Duration(stat.UTime+stat.STime) * clockTick, user: time.Duration(stat.UTime) * clockTick}
	var exact unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid<<3|cpuClock), &exact); err == nil {
		t.all = time.Duration(exact.Nano())
	}
	return t
}

// cpuClock is the kind of a clock that counts the CPU time of a process, as in
// clock_getcpuclockid.
const cpuClock = 2

// memory returns the resident bytes of a process.
func (p process) memory() int64 {
	now, _ := p.memories()
	return now
}

func (p process) memories() (now, peak int64) {
	if !p.known() {
		return 0, 0
	}
	status, err := p.proc.NewStatus()
	if err != nil {
		return 0, 0
	}
	return int64(status.VmRSS), int64(status.VmHWM)
}

// usage returns what a process has used since before. Of one that has ended nobody
// knows any more: then it uses no memory.
func (p process) usage(before processTime, elapsed time.Duration) Usage {
	now := p.time()
	u := Usage{PID: p.pid, CPU: now.all - before.all, User: now.user - before.user}
	u.Memory, u.Peak = p.memories()
	if elapsed > 0 {
		u.CPUs = u.CPU.Seconds() / elapsed.Seconds()
	}
	return u
}

// cpuModel returns the name of the CPUs.
func cpuModel() string {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return ""
	}
	cpus, err := fs.CPUInfo()
	if err != nil || len(cpus) == 0 {
		return ""
	}
	return cpus[0].ModelName
}
