package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// A place is where a process runs. Servers that are measured have the first CPU for
// themselves, the load has the last.
type place struct {
	cpu  int
	idle bool // only while nothing else wants the CPU
}

var (
	serverPlace = place{}
	loadPlace   = place{cpu: runtime.NumCPU() - 1}
	restPlace   = place{cpu: runtime.NumCPU() - 1, idle: true} // what the load leaves over
)

// command returns one that runs a program on one thread at a place.
func (p place) command(path string, args ...string) *exec.Cmd {
	words := append([]string{"taskset", "-c", strconv.Itoa(p.cpu), path}, args...)
	if p.idle {
		words = append([]string{"chrt", "--idle", "0"}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

// pin has this process run at a place, if there is more than one CPU.
func pin(p place) bool {
	var set unix.CPUSet
	set.Set(p.cpu)
	return p.cpu > 0 && eachThread(func(id int) error { return unix.SchedSetaffinity(id, &set) })
}

// goFirst has this process, and servers that it starts from then on, run before all else
// that wants their CPUs (SCHED_FIFO). The user has to be allowed to.
func goFirst() bool {
	first := unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1}
	return eachThread(func(id int) error { return unix.SchedSetAttr(id, &first, 0) })
}

// eachThread sets something of each thread of this process. Threads to come have that of
// the one that makes them, so it is over when none is found that was not there before.
func eachThread(set func(id int) error) bool {
	done := map[string]bool{}
	for before := -1; before < len(done); {
		before = len(done)
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return false
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil || !done[t.Name()] && set(id) != nil {
				return false
			}
			done[t.Name()] = true
		}
	}
	return true
}
