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
)

func main() {
	var f filter
	addr := flag.String("addr", "", "socket to listen on, in milter notation")
	flag.BoolVar(&f.stream, "stream", false, "answer nothing before the end of the message")
	flag.IntVar(&f.handlers, "handlers", 1, "filters in the chain; the last one adds the header")
	flag.StringVar(&f.slow, "slow", "", "sender whose messages wait for a slow function, such as <slow@example.com>")
	profile := flag.String("cpuprofile", "", "file for a profile of the CPU")
	flag.Parse()
	if *profile != "" {
		defer profileTo(*profile)()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	srv, err := netio.Listen(netio.Config{Listen: []string{*addr}, Loops: 1}, handlers.Shared(f.handler()))
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
