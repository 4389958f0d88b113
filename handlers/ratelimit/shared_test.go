package ratelimit_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"millstream/handlers"
	"millstream/handlers/ratelimit"
	"millstream/protocol"
)

// Sessions that run at once let pass just what one limit allows, and it is told once.
func TestSharedBySessions(t *testing.T) {
	const limit, sessions, each = 500, 8, 100
	h, log := filter(t, limits(ratelimit.Limit{Key: []string{"sender"}, Limit: limit}), open(t), &meter{})
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range sessions {
		wg.Go(func() {
			s := handlers.NewControl(context.Background(), handlers.Facts{}, nil).Begin(context.Background())
			for range each {
				if r := h.Handle(s, &protocol.MailFrom{Addr: protocol.View("<a@x.example>")}); r.Status() == protocol.StatusContinue {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if passed.Load() != limit {
		t.Errorf("%d passed, want %d", passed.Load(), limit)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, log)
	}
}
