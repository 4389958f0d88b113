package load

import (
	"runtime"
	"time"
)

// processTime is the CPU time that a process has used.
type processTime struct{ user, system time.Duration }

func (t processTime) all() time.Duration { return t.user + t.system }

// thisMachine describes where the generator runs.
func thisMachine() Machine {
	return Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Go: runtime.Version(), CPUs: runtime.NumCPU(),
	}
}
