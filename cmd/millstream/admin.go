package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"millstream/actors"
	"millstream/netio"
)

// defaultAdmin is where the admin pages are if nobody says otherwise.
const defaultAdmin = "127.0.0.1:8891"

// Limits of the admin pages. What streams lifts that of its answer for itself.
const (
	adminReadTimeout  = 10 * time.Second
	adminWriteTimeout = 30 * time.Second
	adminIdleTimeout  = 2 * time.Minute
	adminMaxHeader    = 32 << 10
	adminStopWithin   = time.Second
)

// adminHandler returns what answers at the admin address. Each of routes adds its
// pages. Nothing can be changed there: only GET and HEAD are taken.
func adminHandler(routes ...func(*http.ServeMux)) http.Handler {
	mux := http.NewServeMux()
	for _, add := range routes {
		add(mux)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// health is how the server is.
type health struct {
	serving atomic.Bool        // it listens, and does not end
	config  func() reloadState // nil if nobody knows
}

// routes adds pages for who watches over the server: /livez says that the process is
// up, /readyz whether new connections are taken.
func (h *health) routes(mux *http.ServeMux) {
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { sayHealth(w, http.StatusOK, "alive") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !h.serving.Load() {
			sayHealth(w, http.StatusServiceUnavailable, "not ready: the server does not listen")
			return
		}
		text := "ready"
		if h.config != nil && !h.config().FailedAt.IsZero() {
			text += ", but the last reload failed: the log says why"
		}
		sayHealth(w, http.StatusOK, text)
	})
}

func sayHealth(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// metricsRoute adds /metrics, which Prometheus scrapes. registry may be nil.
func metricsRoute(registry *prometheus.Registry) func(*http.ServeMux) {
	return func(mux *http.ServeMux) {
		if registry != nil { // exemplars are in the format of OpenMetrics alone
			mux.Handle("/metrics", promhttp.HandlerFor(conventional{registry}, promhttp.HandlerOpts{EnableOpenMetrics: true}))
		}
	}
}

// conventional gathers measurements under names that are good for Prometheus: a gauge
// must not end in "_count", as one of OpenTelemetry does.
type conventional struct{ prometheus.Gatherer }

// Gather is [prometheus.Gatherer].
func (g conventional) Gather() ([]*dto.MetricFamily, error) {
	families, err := g.Gatherer.Gather()
	for _, f := range families {
		if f.GetName() == "go_goroutine_count" {
			name := "go_goroutines"
			f.Name = &name
		}
	}
	return families, err
}

// admin is the admin listener and what it shows.
type admin struct {
	net.Listener // nil if there is none
	up           health
	past         *history // nil without a listener
}

// openAdmin opens the admin address; "" is none. A default that is taken is done
// without: another server on this machine has it.
func openAdmin(ctx context.Context, address string, given bool, log *slog.Logger) (*admin, error) {
	if address == "" {
		return new(admin), nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return &admin{Listener: l, past: newHistory(0)}, nil
	case given:
		return nil, fmt.Errorf("admin address: %w", err)
	}
	log.Warn("no admin pages: their address cannot be opened, see --admin", "address", address, "err", err)
	return new(admin), nil
}

// open reports whether there are admin pages.
func (a *admin) open() bool { return a.Listener != nil }

// abandon closes the admin address if serve is not to be called.
func (a *admin) abandon() {
	if a.open() {
		a.Close()
	}
}

// String returns the admin address.
func (a *admin) String() string {
	if !a.open() {
		return "none"
	}
	return a.Addr().String()
}

// timelines returns what is to be told of messages; nil if nobody wants to know.
func (a *admin) timelines() func(*actors.Timeline) {
	if a.past == nil {
		return nil
	}
	return a.past.add
}

// watch shows a server and the state of its configuration on the admin pages, and returns
// what ends that.
func (a *admin) watch(server *netio.Server, c func() reloadState, registry *prometheus.Registry, log *slog.Logger) (stop func()) {
	if !a.open() {
		return func() {}
	}
	a.up.config = c
	page := newStatus(a.past, server.Sessions, a.Addr().String())
	page.config = c
	stopPages := servePages(a.Listener, "admin pages", adminHandler(a.up.routes, metricsRoute(registry), page.routes), log)
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { a.past.watch(ctx, server.Len) })
	return func() {
		stopPages()
		cancel()
		watching.Wait()
	}
}

// servePages serves what is called what at a listener, which it closes, and returns
// what ends that.
func servePages(l net.Listener, what string, h http.Handler, log *slog.Logger) (stop func()) {
	base, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: adminReadTimeout, ReadTimeout: adminReadTimeout,
		WriteTimeout: adminWriteTimeout, IdleTimeout: adminIdleTimeout, MaxHeaderBytes: adminMaxHeader,
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("pages have ended", "pages", what, "err", err)
		}
	})
	return func() {
		cancel() // what streams ends
		ctx, release := context.WithTimeout(context.Background(), adminStopWithin)
		defer release()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // who reads so slowly has seen enough
		}
		serving.Wait()
	}
}
