package bench

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"millstream/actors"
	"millstream/bench/load"
	"millstream/handlers"
	"millstream/netio"
	"millstream/netio/mta"
	"millstream/protocol"
)

// A life is the handlers of one generation. Messages that they see after their end are
// counted.
type life struct {
	over  atomic.Bool
	late  *atomic.Int64
	first sync.Once
	used  chan struct{} // closed at the first call
}

func newLife(late *atomic.Int64) *life { return &life{late: late, used: make(chan struct{})} }

// handler adds a header to each message. The end of it is worked on off the loop.
func (l *life) handler() handlers.Handler {
	return handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return l.look() }),
		handlers.Go(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Load", "yes")
			return l.look()
		}),
	)
}

func (l *life) look() handlers.Reply {
	l.first.Do(func() { close(l.used) })
	if l.over.Load() {
		l.late.Add(1)
	}
	return handlers.Continue
}

// TestSwapUnderLoad swaps the handlers of a server again and again while it is under
// load. No message fails, none is seen by handlers that are said to be unused, and
// nothing is left of those.
func TestSwapUnderLoad(t *testing.T) {
	const swaps, most = 100, 1_000_000
	leaks := goleak.IgnoreCurrent()
	defer goleak.VerifyNone(t, leaks)
	var late atomic.Int64
	current := newLife(&late)
	cfg := netio.Config{Listen: []string{"inet:0@127.0.0.1"}}
	cfg.Sessions.Log = slog.New(slog.DiscardHandler)
	s, err := netio.Listen(cfg, handlers.Shared(current.handler()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	loaded, end := context.WithCancel(context.Background())
	result := make(chan *load.Result, 1)
	mails := []*mta.Mail{mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, []byte("Subject: hi\n\nHello\n"))}
	go func() {
		r, err := load.Run(loaded, load.Config{
			Address: netio.MilterAddr(s.Addrs()[0]), Mails: mails, Connections: 20, Reuse: 3, Messages: most, Expect: []string{"x-load"},
		}, nil)
		if err != nil {
			t.Error(err)
		}
		result <- r
	}()
	for range swaps {
		<-current.used
		next := newLife(&late)
		unused, err := s.Swap(actors.Config{}, handlers.Shared(next.handler()))
		if err != nil {
			t.Fatal(err)
		}
		<-unused // each connection is there for three messages
		current.over.Store(true)
		current = next
	}
	end()
	r := <-result
	if r == nil || r.Failures() != 0 || r.Counts.Messages == 0 || r.Verdicts["continue"] != r.Counts.Messages || r.Counts.Changes != r.Counts.Messages {
		t.Errorf("%+v", r)
	}
	if n := late.Load(); n != 0 {
		t.Errorf("%d times handlers were called that nobody used any more", n)
	}
	t.Logf("%d messages in %d sessions", r.Counts.Messages, r.Counts.Sessions)
}
