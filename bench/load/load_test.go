package load

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"millstream/handlers"
	"millstream/netio"
	"millstream/netio/mta"
	"millstream/protocol"
)

// take answers an event at once, or only watches it.
func take[E handlers.Answered](watch bool) handlers.Handler {
	if watch {
		return handlers.Observe(func(*handlers.Session, E) {})
	}
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return handlers.Continue })
}

// adding adds a header to each message. With watch it answers only the end of it.
func adding(watch bool) handlers.Handler {
	return handlers.Chain(
		take[*protocol.Connect](watch), take[*protocol.Helo](watch), take[*protocol.MailFrom](watch),
		take[*protocol.RcptTo](watch), take[*protocol.Data](watch), take[*protocol.Header](watch),
		take[*protocol.EndOfHeader](watch), take[*protocol.Body](watch),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Load", "yes")
			return handlers.Continue
		}),
	)
}

// serve serves a filter until the test ends, and returns its address.
func serve(tb testing.TB, network string, h handlers.Handler) string {
	tb.Helper()
	watchLeaks(tb)
	address := "inet:0@127.0.0.1"
	if network == "unix" {
		address = filepath.Join(tb.TempDir(), "s")
	}
	cfg := netio.Config{Listen: []string{address}}
	cfg.Sessions.Log = slog.New(slog.DiscardHandler)
	s, err := netio.Listen(cfg, handlers.Shared(h))
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	tb.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			tb.Error(err)
		}
	})
	return netio.MilterAddr(s.Addrs()[0])
}

// mails are some to send.
func mails() []*mta.Mail {
	text := []byte("Subject: hi\nTo: b\nX-A: 1\n\nHello\nyou\n")
	return []*mta.Mail{
		mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, text),
		mta.NewMail("<>", []string{"<b@example.net>", "<c@example.net>"}, append(text, make([]byte, 200<<10)...)),
	}
}

func TestRun(t *testing.T) {
	tests := []struct {
		name     string
		cfg      Config
		watch    bool
		sessions int64
	}{
		{"one", Config{}, false, 1},
		{"some", Config{Connections: 7}, false, 7},
		{"no replies", Config{Connections: 7}, true, 7},
		{"Sendmail", Config{Connections: 3, Dialect: mta.Sendmail}, false, 3},
		{"one message a connection", Config{Connections: 3, Reuse: 1}, false, 500},
		{"two messages a connection", Config{Reuse: 2}, false, 250},
		{"open", Config{Connections: 1, Rate: Schedule{{From: 5000, To: 5000}}}, false, 1},
	}
	for _, network := range []string{"unix", "tcp"} {
		for _, tt := range tests {
			t.Run(network+", "+tt.name, func(t *testing.T) {
				cfg := tt.cfg
				cfg.Address, cfg.Mails, cfg.Messages = serve(t, network, adding(tt.watch)), mails(), 500
				cfg.Expect = []string{"x-load"}
				r, err := Run(t.Context(), cfg, nil)
				if err != nil {
					t.Fatal(err)
				}
				c := r.Counts
				if c.Messages != 500 || c.Changes != 500 || r.Verdicts["continue"] != 500 || r.Failures() != 0 {
					t.Errorf("%+v, %v, %v %v", c, r.Verdicts, r.Errors, r.Samples)
				}
				if c.Sessions != tt.sessions {
					t.Errorf("%d sessions, want %d", c.Sessions, tt.sessions)
				}
				if n := r.Latency(MessageLatency).Hist.TotalCount(); n != 500 {
					t.Errorf("%d latencies", n)
				}
			})
		}
	}
}
