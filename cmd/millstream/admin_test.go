package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"millstream/netio/mta"
)

// fetch fetches a page.
func fetch(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

// adminAddress returns the admin address of a server that has said that it listens.
func adminAddress(t *testing.T, s *served) string {
	t.Helper()
	var address string
	waitFor(t, "the log has the admin address", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, rest, ok := strings.Cut(s.log.String(), "admin=")
		address, _, _ = strings.Cut(rest, "\n")
		return ok
	})
	return address
}

// TestAdmin looks at the admin pages of a server, which goes on while sessions end.
func TestAdmin(t *testing.T) {
	noVariables(t)
	s := startServe(t, serveFlags{admin: "127.0.0.1:0", adminGiven: true}, defaultFilter)
	base := "http://" + adminAddress(t, s)
	waitFor(t, "the server is ready", func() bool { status, _ := fetch(t, http.MethodGet, base+"/readyz"); return status == http.StatusOK })
	stays := connect(t, s.socket)
	deliverAll(t, s.socket, mail("Q1"))
	waitFor(t, "the message is counted", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.log.String(), "qid=Q1") // which comes later
	})
	for _, tt := range []struct {
		method, path string
		status       int
		text         string
	}{
		{http.MethodGet, "/livez", http.StatusOK, "alive"},
		{http.MethodHead, "/livez", http.StatusOK, ""},
		{http.MethodGet, "/metrics", http.StatusOK, `milter_messages_total{milter_verdict="continue"} 1`},
		{http.MethodGet, "/", http.StatusOK, "<html"},
		{http.MethodGet, "/api/messages", http.StatusOK, "Q1"},
		{http.MethodPost, "/livez", http.StatusMethodNotAllowed, "GET"},
		{http.MethodDelete, "/metrics", http.StatusMethodNotAllowed, ""},
		{http.MethodGet, "/nonsense", http.StatusNotFound, ""},
	} {
		if status, text := fetch(t, tt.method, base+tt.path); status != tt.status || !strings.Contains(text, tt.text) {
			t.Errorf("%s %s: %d, want %d with %q\n%s", tt.method, tt.path, status, tt.status, tt.text, text)
		}
	}
	s.cancel()
	waitFor(t, "the server is not ready", func() bool {
		status, _ := fetch(t, http.MethodGet, base+"/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, _ := fetch(t, http.MethodGet, base+"/livez"); status != http.StatusOK {
		t.Errorf("not alive while a session goes on: %d", status)
	}
	_ = stays.Close()
	s.stop(t)
	http.DefaultClient.CloseIdleConnections()
	if _, err := mta.Dial(t.Context(), "inet:"+strings.TrimPrefix(base, "http://")); err == nil {
		t.Error("the admin pages are still there")
	}
}

// TestAdminTaken checks that an address which is taken matters only if it was given.
func TestAdminTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	if got, err := openAdmin(t.Context(), l.Addr().String(), false, log); err != nil || got.open() || !strings.Contains(text.String(), "no admin pages") {
		t.Errorf("%v, %v\n%s", got, err, &text)
	}
	if got, err := openAdmin(t.Context(), l.Addr().String(), true, log); err == nil || !strings.Contains(err.Error(), "admin address") {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := openAdmin(t.Context(), "", true, log); err != nil || got.open() {
		t.Errorf("%v, %v", got, err)
	}
}

// TestAdminStream checks that a stream does not keep the admin pages from ending.
func TestAdminStream(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	stop := servePages(l, "test pages", adminHandler(func(mux *http.ServeMux) {
		mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			close(begun)
			<-r.Context().Done()
		})
	}), slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fetch(t, http.MethodGet, "http://"+l.Addr().String()+"/stream")
	}()
	<-begun
	stop()
	<-ended
}
