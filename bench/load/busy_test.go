package load

import (
	"runtime"
	"testing"
	"time"
)

// A generator that hardly ever waited says that it may have been the limit.
func TestWarnsOfBusyGenerator(t *testing.T) {
	const limit, shared = "may have been the limit itself", "workers share"
	cpus := runtime.GOMAXPROCS(0)
	for _, tt := range []struct {
		name                 string
		workers, connections int
		slept                time.Duration // by all workers, for each of them
		limit, shared        bool
	}{
		{"it waited", cpus, 5, 500 * time.Millisecond, false, false},
		{"it hardly waited", cpus, 5, 50 * time.Millisecond, true, false},
		{"it never waited", 1, 5, 0, true, false},
		{"it sent nothing", cpus, 0, 0, false, false},
		{"too many workers", cpus + 1, 5, 500 * time.Millisecond, false, true},
	} {
		m := &meter{r: &runner{cfg: Config{Workers: tt.workers, Connections: tt.connections}}}
		m.result.Elapsed = time.Second
		m.result.Warnings = m.warnings(tt.slept * time.Duration(tt.workers))
		if got := hasWarning(&m.result, limit); got != tt.limit {
			t.Errorf("%s: warned of its limit: %v: %q", tt.name, got, m.result.Warnings)
		}
		if got := hasWarning(&m.result, shared); got != tt.shared {
			t.Errorf("%s: warned of workers: %v: %q", tt.name, got, m.result.Warnings)
		}
	}
}
