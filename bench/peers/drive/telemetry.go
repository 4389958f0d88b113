package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"millstream/bench/load"
)

// telemetries are the ways in which a server tells of its messages, and the flags of
// ours for each but where the collector is.
var telemetries = []struct {
	name   string
	traced bool
	args   []string
}{
	{name: "off"},
	{name: "off, again"},
	{name: "metrics", args: []string{"-metrics"}},
	{name: "0 % traced", traced: true, args: []string{"-sampled", "0"}},
	{name: "1 % traced", traced: true, args: []string{"-sampled", "0.01"}},
	{name: "100 % traced", traced: true, args: []string{"-sampled", "1"}},
}

// telemetry measures what it costs to tell of messages. A session is traced as a
// whole, so there is a connection for each ten messages: what is one in a hundred of
// the sessions is one in a hundred of the messages then.
func (s *series) telemetry(ctx context.Context) error {
	collector, stop, err := collect()
	if err != nil {
		return err
	}
	defer stop()
	for _, mode := range modes {
		costs := make([][]float64, len(telemetries))
		for range s.rounds {
			for i, how := range telemetries {
				args := append(append([]string{"-named"}, mode.args...), how.args...)
				if how.traced {
					args = append(args, "-collector", collector)
				}
				r, err := s.try(ctx, &trial{
					setup: setup{peer: ours, at: serverPlace, args: args},
					load:  load.Config{Mails: usualMail(), Connections: s.connections, Reuse: 10},
				})
				if err != nil {
					return fmt.Errorf("%s, %s: %w", mode.name, how.name, err)
				}
				costs[i] = append(costs[i], perMessage(r, r.Server.CPU))
			}
		}
		fmt.Println(mode.name + ", unix, ten messages a connection\n")
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
		fmt.Fprint(w, "| telemetry\t CPU, µs\t to off\t\n|---\t---\t---\t\n")
		for i, how := range telemetries {
			fmt.Fprintf(w, "| %s\t %.1f\t %s\t\n", how.name, median(costs[i]), ratios(costs[i], costs[0]))
		}
		_ = w.Flush()
		fmt.Println()
	}
	return nil
}

// ratios returns the median of the ratios of what was measured in the same round, and
// in brackets the least and the greatest.
func ratios(list, to []float64) string {
	var all []float64
	for i := range list {
		all = append(all, list[i]/to[i])
	}
	least, most := all[0], all[0]
	for _, v := range all {
		least, most = min(least, v), max(most, v)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(all), least, most)
}

// collect takes spans, and throws them away.
func collect() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-protobuf")
		}),
	}
	go func() { _ = server.Serve(l) }()
	return l.Addr().String(), func() { _ = server.Close() }, nil
}
