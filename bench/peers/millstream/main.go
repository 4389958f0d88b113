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

	"millstream/actors"
	"millstream/handlers"
	"millstream/netio"
)

func main() {
	var f filter
	addr := flag.String("addr", "", "socket to listen on, in milter notation")
	flag.BoolVar(&f.stream, "stream", false, "answer nothing before the end of the message")
	flag.IntVar(&f.handlers, "handlers", 1, "filters in the chain; the last one adds the header")
	flag.StringVar(&f.slow, "slow", "", "sender whose messages wait for a slow function, such as <slow@example.com>")
	var t telemetry
	flag.BoolVar(&f.named, "named", false, "the filter has a name, under which telemetry tells of it")
	flag.StringVar(&t.collector, "collector", "", "OpenTelemetry collector for traces, as host:port, over HTTP")
	flag.Float64Var(&t.sampled, "sampled", 0, "part of the sessions that is traced")
	flag.BoolVar(&t.metrics, "metrics", false, "take metrics")
	profile := flag.String("cpuprofile", "", "file for a profile of the CPU")
	flag.Parse()
	if *profile != "" {
		defer profileTo(*profile)()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	tracer, meter, send, err := t.providers(ctx)
	if err != nil {
		log.Fatal(err)
	}
	cfg := netio.Config{Listen: []string{*addr}, Loops: 1, Sessions: actors.Config{Tracer: tracer, Meter: meter}}
	srv, err := netio.Listen(cfg, handlers.Shared(f.handler()))
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Serve(ctx); err != nil {
		log.Fatal(err)
	}
	if err := send(); err != nil {
		log.Print(err)
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
