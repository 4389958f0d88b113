// Command millstream is the peer of this project: every event, one header.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"millstream/handlers"
	"millstream/netio"
	"millstream/protocol"
)

func main() {
	addr := flag.String("addr", "", "socket to listen on, in milter notation")
	stream := flag.Bool("stream", false, "answer nothing before the end of the message")
	profile := flag.String("cpuprofile", "", "file for a profile of the CPU")
	flag.Parse()
	if *profile != "" {
		defer profileTo(*profile)()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	srv, err := netio.Listen(netio.Config{Listen: []string{*addr}, Loops: 1}, handlers.Shared(filter(*stream)))
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Serve(ctx); err != nil {
		log.Fatal(err)
	}
}

// profileTo begins a profile and returns what ends it.
func profileTo(path string) func() {
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		log.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			log.Print(err)
		}
	}
}

// filter takes every event. With stream it only watches those before the end.
func filter(stream bool) handlers.Handler {
	return handlers.Chain(
		take[*protocol.Connect](stream), take[*protocol.Helo](stream), take[*protocol.MailFrom](stream),
		take[*protocol.RcptTo](stream), take[*protocol.Data](stream), take[*protocol.Header](stream),
		take[*protocol.EndOfHeader](stream), take[*protocol.Body](stream), take[*protocol.Unknown](stream),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Peer", "millstream")
			return handlers.Continue
		}),
	)
}

func take[E handlers.Answered](stream bool) handlers.Handler {
	if stream {
		return handlers.Observe(func(*handlers.Session, E) {})
	}
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return handlers.Continue })
}
