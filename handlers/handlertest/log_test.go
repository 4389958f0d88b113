package handlertest_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"millstream/handlers/handlertest"
)

// A log has all lines of all who write, until they are taken.
func TestLog(t *testing.T) {
	var log handlertest.Log
	logger := slog.New(slog.NewTextHandler(&log, nil))
	var wg sync.WaitGroup
	taken := ""
	for range 4 {
		wg.Go(func() {
			for range 50 {
				logger.Info("line")
			}
		})
	}
	for range 10 {
		taken += log.Take()
	}
	wg.Wait()
	logger.Info("last")
	if rest := log.String(); !strings.HasSuffix(rest, "msg=last\n") || rest != log.Take() || log.String() != "" {
		t.Errorf("the rest is %q, and then %q", rest, log.String())
	} else if n := strings.Count(taken+rest, "msg=line\n"); n != 200 {
		t.Errorf("%d lines, want 200", n)
	}
}
