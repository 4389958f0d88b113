package store_test

import (
	"context"
	"fmt"
	"time"

	"millstream/handlers"
	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/protocol"
)

// A limit of messages for each user in an hour, in a filter that never waits.
func ExampleCounters() {
	hourly := func(counters store.Counters, limit int64) handlers.Handler {
		return handlers.On(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
			window := store.Window{Length: time.Hour, Sliding: true}
			if _, ok := counters.Take(s.Context(), "messages/"+s.Macro("auth_authen"), 1, limit, window); !ok {
				return handlers.TempFail.With(450, "4.7.1", "too many messages in an hour")
			}
			return handlers.Continue
		})
	}
	s, err := memory.Open(memory.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	_ = hourly(s, 100)

	// What is asked before it is counted: recipients, of which a message has many.
	window := store.Window{Length: time.Hour}
	ctx := context.Background()
	fmt.Println(s.Incr(ctx, "recipients/alice", 0, window).N < 5)
	fmt.Println(s.Incr(ctx, "recipients/alice", 7, window).N)
	// Output:
	// true
	// 7
}

// Greylisting: who is not known comes again later, and is then known for long. SetNX may
// wait for a network, so this runs where waiting is allowed.
func ExampleMarks() {
	const (
		delay   = 5 * time.Minute
		pending = 24 * time.Hour
		passed  = 35 * 24 * time.Hour
	)
	greylist := func(ctx context.Context, marks store.Marks, triplet string, now time.Time) string {
		mark, _ := marks.SetNX(ctx, triplet, 0, pending)
		switch {
		case mark.Value != 0: // when it passed
			marks.Touch(ctx, triplet, passed)
			return "known"
		case now.Sub(mark.First) < delay:
			return "come again"
		}
		marks.Set(ctx, triplet, now.Unix(), passed)
		return "passes"
	}
	s, err := memory.Open(memory.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	triplet, ctx := "192.0.2.1/a@example.com/b@example.net", context.Background()
	for _, later := range []time.Duration{0, time.Minute, 6 * time.Minute, time.Hour} {
		fmt.Println(greylist(ctx, s, triplet, time.Now().Add(later)))
	}
	// Output:
	// come again
	// come again
	// passes
	// known
}
