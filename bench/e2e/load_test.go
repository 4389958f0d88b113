package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	loadClients  = 50
	loadMessages = 10_000
	loadShort    = 500 // with -short
)

// testLoad sends many messages over many sessions at once. Each must arrive
// once, changed by the filter.
func testLoad(t *testing.T, r *rig) {
	number := loadMessages
	if testing.Short() {
		number = loadShort
	}
	start := time.Now()
	var next atomic.Int64
	var clients sync.WaitGroup
	for range loadClients {
		c := r.mta.connect(t)
		clients.Go(func() {
			defer c.close()
			for i := int(next.Add(1)); i <= number; i = int(next.Add(1)) {
				if got := c.send(compose("header-added", fmt.Sprint("load", i))); !got.ok() {
					t.Errorf("message %d: %v", i, got)
					return
				}
			}
			c.say("quit", "QUIT")
		})
	}
	clients.Wait()
	t.Logf("%d messages taken in %v", number, time.Since(start))
	r.sink.settle(t, "load", number)
	t.Logf("%d messages came in %v", number, time.Since(start))
	for token, ds := range r.sink.all("load") {
		if len(ds) != 1 {
			t.Errorf("message %s came %d times", token, len(ds))
		}
		headerIs("X-Added", "by the filter")(t, ds[0])
	}
}
