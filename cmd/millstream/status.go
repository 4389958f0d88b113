package main

import (
	"embed"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"millstream/actors"
)

//go:embed status.html status.css status.js
var statusFiles embed.FS

// A status serves the status page, and as JSON all that is on it.
type status struct {
	history  *history
	sessions func() []actors.Info
	config   func() reloadState // nil if it is not told
	hosts    []string
	started  time.Time
}

// newStatus returns the status of a server with these sessions. It answers under
// names of loopback, under the address that it is reached at, and under hosts, which
// may have ports.
func newStatus(h *history, sessions func() []actors.Info, hosts ...string) *status {
	s := &status{history: h, sessions: sessions, started: time.Now()}
	for _, host := range hosts {
		if name := statusHost(host); name != "" {
			s.hosts = append(s.hosts, name)
		}
	}
	return s
}

// routes registers what status serves.
func (s *status) routes(mux *http.ServeMux) {
	for pattern, f := range map[string]http.HandlerFunc{
		"GET /{$}":               statusFile("status.html", "text/html; charset=utf-8"),
		"GET /status.css":        statusFile("status.css", "text/css; charset=utf-8"),
		"GET /status.js":         statusFile("status.js", "text/javascript; charset=utf-8"),
		"GET /api/summary":       s.serveSummary,
		"GET /api/rates":         s.serveRates,
		"GET /api/sessions":      s.serveSessions,
		"GET /api/messages":      s.serveMessages,
		"GET /api/messages/{id}": s.serveMessage,
	} {
		mux.Handle(pattern, s.guard(f))
	}
}

// statusFile serves an embedded file.
func statusFile(name, contentType string) http.HandlerFunc {
	text, err := statusFiles.ReadFile(name)
	if err != nil {
		panic(err) // it was there when this was built
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(text) // an error is that the browser has gone
	}
}

// statusPolicy allows the page its own files and nothing else.
const statusPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard sets the headers that keep browsers from doing anything with an answer but
// showing it, and refuses requests that mean another host. A page from elsewhere
// could otherwise have its own name resolved to this server and read what it tells.
func (s *status) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", statusPolicy)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		if !s.isOurs(r) {
			http.Error(w, fmt.Sprintf("%q is not a name of this server; use localhost or the address it listens on", r.Host),
				http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOurs reports whether the host that a request is for is this one.
func (s *status) isOurs(r *http.Request) bool {
	name := statusHost(r.Host)
	if slices.Contains(s.hosts, name) || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ip.IsLoopback() || ok && statusHost(local.String()) == ip.String()
}

// statusHost returns a host without its port, as names are compared: an address in its
// shortest form without brackets, a name in lower case without a dot at its end.
func statusHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
