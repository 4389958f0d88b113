package load

import (
	"runtime"
	"time"
)

// processTime is the CPU time that a process has used.
type processTime struct{ all, user time.Duration }

// thisMachine describes where the generator runs.
func thisMachine() Machine {
	return Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Go: runtime.Version(), CPUs: runtime.NumCPU(),
	}
}
