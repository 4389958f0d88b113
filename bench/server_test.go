package bench

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
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

// filter takes every event and adds a header. With watch it answers only the end
// of a message.
func filter(watch bool) handlers.Handler {
	return handlers.Chain(
		take[*protocol.Connect](watch), take[*protocol.Helo](watch), take[*protocol.MailFrom](watch),
		take[*protocol.RcptTo](watch), take[*protocol.Data](watch), take[*protocol.Header](watch),
		take[*protocol.EndOfHeader](watch), take[*protocol.Body](watch),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Bench", "yes")
			return handlers.Continue
		}),
	)
}

// listen serves a filter until the benchmark ends, and returns its address.
func listen(b *testing.B, network string, watch bool) string {
	b.Helper()
	address := "inet:0@127.0.0.1"
	if network == "unix" {
		address = filepath.Join(b.TempDir(), "s")
	}
	cfg := netio.Config{Listen: []string{address}}
	cfg.Sessions.Log = slog.New(slog.DiscardHandler)
	s, err := netio.Listen(cfg, handlers.Shared(filter(watch)))
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	b.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return netio.MilterAddr(s.Addrs()[0])
}

// dial connects as an MTA.
func dial(b *testing.B, address string) *mta.Conn {
	b.Helper()
	c, err := mta.Dial(context.Background(), address)
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := c.Negotiate(mta.Offer()); err != nil {
		b.Fatal(err)
	}
	return c
}

// message has twelve headers and two KiB of body.
var message = []byte(strings.Repeat("X-Header: some words and some more of them\r\n", 12) + "\r\n" +
	strings.Repeat("0123456789abcdef0123456789abcd\r\n", 64))

// BenchmarkServer delivers messages to a server over sockets, one connection for
// each CPU. What it measures is client and server together, on the same CPUs; to
// hold servers against each other there is bench/peers.
func BenchmarkServer(b *testing.B) {
	for _, network := range []string{"unix", "inet"} {
		for name, watch := range map[string]bool{"lock-step": false, "no-reply": true} {
			b.Run(network+"/"+name, func(b *testing.B) {
				address := listen(b, network, watch)
				b.SetBytes(int64(len(message)))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					c := dial(b, address)
					defer c.Close()
					mail := mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, message)
					for pb.Next() {
						out, err := c.Deliver(mail)
						if err != nil || len(out.Changes) != 1 {
							b.Errorf("%v, %d changes", err, len(out.Changes))
							return
						}
					}
				})
			})
		}
	}
}

// BenchmarkAccept opens a connection, negotiates and closes it: what every SMTP
// session costs before its first message.
func BenchmarkAccept(b *testing.B) {
	for _, network := range []string{"unix", "inet"} {
		b.Run(network, func(b *testing.B) {
			address := listen(b, network, false)
			b.ReportAllocs()
			for b.Loop() {
				_ = dial(b, address).Close()
			}
		})
	}
}
