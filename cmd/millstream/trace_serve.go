package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"millstream/actors"
)

// traceTarget is where the control socket tells of sessions.
const traceTarget = "/trace"

// traceWriteTimeout is how long who reads a trace may take nothing of it.
const traceWriteTimeout = 30 * time.Second

// The keys of what a trace is asked for.
const (
	traceClient = "client"
	traceFrom   = "from"
	traceRcpt   = "rcpt"
	traceQID    = "qid"
)

// traceFilter returns what a query asks for: each key may stand there several times.
func traceFilter(query url.Values) (f actors.TapFilter, err error) {
	for key, values := range query {
		if slices.Contains(values, "") {
			return f, fmt.Errorf("--%s is empty; leave it out for any, and write '<>' for the null sender", key)
		}
	}
	for _, text := range query[traceClient] {
		network, err := parseNetwork(text)
		if err != nil {
			return f, err
		}
		f.Clients = append(f.Clients, network)
	}
	f.From, f.Recipients, f.QueueIDs = query[traceFrom], query[traceRcpt], query[traceQID]
	return f, nil
}

// parseNetwork reads a network, or an address.
func parseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--client %q is no network such as 192.0.2.0/24, and no address", text)
	}
	return network.Masked(), nil
}

// traceRoute adds the page that tells of sessions while they are under way: a line of
// JSON for each event of a tap, until the one who asks has heard enough. The log tells
// that somebody reads mail.
func traceRoute(open func(actors.TapFilter) (*actors.Tap, error), log *slog.Logger) func(*http.ServeMux) {
	return func(mux *http.ServeMux) {
		mux.HandleFunc("GET "+traceTarget, func(w http.ResponseWriter, r *http.Request) {
			f, err := traceFilter(r.URL.Query())
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			tap, err := open(f)
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			defer tap.Close()
			log.Info("sessions are traced", "filter", r.URL.Query())
			w.Header().Set("Content-Type", "application/x-ndjson")
			tellTap(r.Context(), w, tap)
		})
	}
}

// tellTap writes the events of a tap until ctx ends or nobody reads them.
func tellTap(ctx context.Context, w http.ResponseWriter, tap *actors.Tap) {
	to := http.NewResponseController(w)
	if to.SetReadDeadline(time.Time{}) != nil { // nothing more is to be read, however long it takes
		return
	}
	lines := json.NewEncoder(w)
	for {
		if to.SetWriteDeadline(time.Now().Add(traceWriteTimeout)) != nil || to.Flush() != nil {
			return
		}
		events, err := tap.Read(ctx)
		if err != nil || to.SetWriteDeadline(time.Now().Add(traceWriteTimeout)) != nil {
			return
		}
		for i := range events {
			if lines.Encode(&events[i]) != nil {
				return
			}
		}
	}
}
