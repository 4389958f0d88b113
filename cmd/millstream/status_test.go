package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// sampleSessions are n sessions that are alive, oldest first.
func sampleSessions(n int) []actors.Info {
	states := []protocol.State{
		protocol.StateHeloReplied, protocol.StateEnvelopeRecipientReplied, protocol.StateEndOfMessage, protocol.StateBodyReplied,
		protocol.StateEndOfMessageReplied,
	}
	list := make([]actors.Info, n)
	for i := range list {
		one := actors.Info{
			ID: uint64(i + 1), Listener: "inet:8890@127.0.0.1", Since: time.Now().Add(-time.Duration(n-i) * 700 * time.Millisecond),
			Peer:  protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("127.0.0.1"), Port: uint16(30000 + i)},
			State: states[i%len(states)], Messages: uint64(i % 7), In: uint64(i * 3001), Out: uint64(i * 40),
		}
		if one.State == protocol.StateEndOfMessage {
			one.Pending = time.Duration(1+i%97) * 31 * time.Millisecond
		} else {
			one.Idle = time.Duration(1+i%89) * 13 * time.Millisecond
		}
		list[i] = one
	}
	return list
}

// statusMux serves a status.
func statusMux(h *history, sessions int, hosts ...string) *http.ServeMux {
	mux := http.NewServeMux()
	newStatus(h, func() []actors.Info { return sampleSessions(sessions) }, hosts...).routes(mux)
	return mux
}

// askStatus sends a request to a handler.
func askStatus(t *testing.T, h http.Handler, method, path, host string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// getStatus returns the JSON of a path.
func getStatus(t *testing.T, h http.Handler, path string, code int) map[string]any {
	t.Helper()
	w := askStatus(t, h, http.MethodGet, path, "localhost")
	if w.Code != code || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d, %s: %s", path, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	return got
}

func TestStatusHeaders(t *testing.T) {
	mux := statusMux(filledHistory(1), 1)
	for path, contentType := range map[string]string{
		"/": "text/html; charset=utf-8", "/status.css": "text/css; charset=utf-8", "/status.js": "text/javascript; charset=utf-8",
		"/api/summary": "application/json", "/api/rates": "application/json", "/api/sessions": "application/json",
		"/api/messages": "application/json", "/api/messages/1": "application/json", "/api/messages/2": "application/json",
	} {
		w := askStatus(t, mux, http.MethodGet, path, "localhost:8891")
		for name, want := range map[string]string{
			"Content-Type": contentType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
				"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if w := askStatus(t, mux, http.MethodPost, path, "localhost"); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, w.Code)
		}
		if w := askStatus(t, mux, http.MethodGet, path, "evil.example"); w.Code != http.StatusForbidden {
			t.Errorf("%s of another host: %d", path, w.Code)
		}
	}
	if w := askStatus(t, mux, http.MethodGet, "/other", "localhost"); w.Code != http.StatusNotFound {
		t.Errorf("/other: %d", w.Code)
	}
}

func TestStatusHosts(t *testing.T) {
	mux := statusMux(newHistory(1), 0, "Hub.Example.Org:8891", "[2001:db8::1]:8891", "")
	for host, ok := range map[string]bool{
		"localhost": true, "LOCALHOST:8891": true, "localhost.:80": true, "a.localhost": true, "127.0.0.1:8891": true, "127.8.8.8": true,
		"[::1]:8891": true, "[::1]": true, "[::ffff:127.0.0.1]:1": true, "hub.example.org": true, "hub.example.org:1": true,
		"[2001:DB8:0::1]:8891": true, "": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false,
		"192.0.2.1:8891": false, "[2001:db8::2]": false, "notlocalhost": false, "xhub.example.org": false, "0.0.0.0": false,
	} {
		w := askStatus(t, mux, http.MethodGet, "/api/summary", host)
		if got := w.Code == http.StatusOK; got != ok {
			t.Errorf("%q: %d %s", host, w.Code, w.Body)
		}
		if !ok && !strings.Contains(w.Body.String(), "is not a name of this server") {
			t.Errorf("%q is refused with %q", host, w.Body)
		}
	}
}

// TestStatusHostOfConnection reaches a server under the address of the connection,
// which nobody had to tell it.
func TestStatusHostOfConnection(t *testing.T) {
	s := newStatus(newHistory(1), func() []actors.Info { return nil })
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	for local, want := range map[string]bool{"192.0.2.9:8891": true, "192.0.2.8:8891": false, "127.0.0.1:8891": false} {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))
		r := r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
		r.Host = "192.0.2.9:8891"
		if got := s.isOurs(r); got != want {
			t.Errorf("%s at %s: %t", r.Host, local, got)
		}
	}
}

// wantKeys looks for the names in a JSON object that are missing, or too many.
func wantKeys(t *testing.T, what string, got any, want string) {
	t.Helper()
	object, ok := got.(map[string]any)
	if !ok {
		t.Fatalf("%s is %v", what, got)
	}
	names := strings.Fields(want)
	for _, name := range names {
		if _, ok := object[name]; !ok {
			t.Errorf("%s has no %s", what, name)
		}
	}
	if len(object) != len(names) {
		t.Errorf("%s has %d names, want %d: %v", what, len(object), len(names), object)
	}
}

const messageKeys = "id started_at session_id queue_id client client_name helo from recipients recipients_total size_bytes verdict " +
	"reply decided_by total_seconds handlers_seconds wait_seconds errors_total trace_id "

func TestStatusShapes(t *testing.T) {
	mux := statusMux(filledHistory(20), 3)
	summary := getStatus(t, mux, "/api/summary", http.StatusOK)
	wantKeys(t, "summary", summary, "version started_at uptime_seconds sessions_active messages_total messages_kept messages_kept_max "+
		"kept_bytes kept_bytes_max messages_per_second wait_p50_seconds wait_p99_seconds messages_last_5_minutes handlers verdicts")
	verdicts := "continue accept reject tempfail discard quarantine abort"
	wantKeys(t, "messages_total", summary["messages_total"], verdicts)
	rates := getStatus(t, mux, "/api/rates", http.StatusOK)
	wantKeys(t, "rates", rates, "from step_seconds messages wait_p50_seconds wait_p99_seconds sessions_active")
	wantKeys(t, "messages of rates", rates["messages"], verdicts)
	for _, name := range []string{"wait_p50_seconds", "wait_p99_seconds", "sessions_active"} {
		if list, _ := rates[name].([]any); len(list) != historySpan || list[0] != nil {
			t.Errorf("%s has %d values", name, len(list))
		}
	}
	sessions := getStatus(t, mux, "/api/sessions", http.StatusOK)
	wantKeys(t, "sessions", sessions, "total pending sessions")
	wantKeys(t, "session", firstOf(sessions["sessions"]), "id state since age_seconds peer listener pending_seconds idle_seconds messages "+
		"in_bytes out_bytes last_queue_id last_message_id")
	messages := getStatus(t, mux, "/api/messages", http.StatusOK)
	wantKeys(t, "messages", messages, "kept matched messages")
	wantKeys(t, "message", firstOf(messages["messages"]), messageKeys)
	line := getStatus(t, mux, "/api/messages/5", http.StatusOK)
	wantKeys(t, "timeline", line, messageKeys+"state peer listener span_id quarantine_reason recipients_accepted recipients_rejected "+
		"recipients_tempfailed changes stages handlers errors")
	wantKeys(t, "stage", firstOf(line["stages"]), "event count at_seconds took_seconds status silent")
	wantKeys(t, "handler", firstOf(line["handlers"]), "handler event count at_seconds took_seconds status failed")
	wantKeys(t, "changes", line["changes"], "from headers_added headers_removed recipients_added recipients_deleted body_replaced new_body_bytes")
	wantKeys(t, "recipients", line["recipients_accepted"], "total first")
	if fmt.Sprint(line["errors"]) != "[store: connection refused]" || line["decided_by"] != "greylist" || line["verdict"] != "tempfail" {
		t.Errorf("the timeline is %v", line)
	}
}

// firstOf returns the first of a list.
func firstOf(list any) any {
	if l, ok := list.([]any); ok && len(l) > 0 {
		return l[0]
	}
	return nil
}

func TestStatusHasNoContent(t *testing.T) {
	mux := statusMux(filledHistory(5), 0)
	for _, path := range []string{"/api/messages", "/api/messages/1", "/api/summary", "/api/sessions"} {
		if body := askStatus(t, mux, http.MethodGet, path, "localhost").Body.String(); strings.Contains(strings.ToLower(body), "secret") {
			t.Errorf("%s tells of headers: %s", path, body)
		}
	}
}

func TestStatusPages(t *testing.T) {
	mux := statusMux(filledHistory(250), 2500)
	seen, path := 0, "/api/messages?q=rcpt:list&limit=100"
	for next := any(0); next != nil; {
		page := getStatus(t, mux, path, http.StatusOK)
		list, _ := page["messages"].([]any)
		seen += len(list)
		if page["matched"] != 250.0 {
			t.Errorf("%v are matched", page["matched"])
		}
		next = page["next_before"]
		path = fmt.Sprintf("/api/messages?q=rcpt:list&limit=100&before=%v", next)
	}
	if seen != 250 {
		t.Errorf("%d messages were told", seen)
	}
	if one, _ := firstOf(getStatus(t, mux, "/api/messages?verdict=reject,discard&handler=clamav&limit=1", http.StatusOK)["messages"]).(map[string]any); one["id"] != 246.0 {
		t.Errorf("the last that was refused is %v", one["id"])
	}
	all := getStatus(t, mux, "/api/sessions?limit=100000", http.StatusOK)
	if list, _ := all["sessions"].([]any); len(list) != maxStatusPage || all["total"] != 2500.0 || all["next_after"] != 1000.0 || all["pending"] != 500.0 {
		t.Errorf("%d of %v sessions, %v pending, next after %v", len(list), all["total"], all["pending"], all["next_after"])
	}
	for path, want := range map[string]float64{
		"/api/sessions?after=1000&limit=2": 1001, "/api/sessions?order=newest": 2500, "/api/sessions?order=pending": 388, "/api/sessions?order=idle": 89,
	} {
		if one, _ := firstOf(getStatus(t, mux, path, http.StatusOK)["sessions"]).(map[string]any); one["id"] != want {
			t.Errorf("%s begins with %v, want %v", path, one["id"], want)
		}
	}
}

func TestStatusMistakes(t *testing.T) {
	mux := statusMux(filledHistory(3), 0)
	for path, code := range map[string]int{
		"/api/messages?limit=x": 400, "/api/messages?before=-1": 400, "/api/messages?verdict=spam": 400,
		"/api/messages?q=" + strings.Repeat("x", 2000): 400, "/api/messages/x": 400, "/api/messages/0": 404, "/api/messages/4": 404,
		"/api/sessions?order=random": 400, "/api/sessions?after=1.5": 400,
	} {
		if text, _ := getStatus(t, mux, path, code)["error"].(string); text == "" {
			t.Errorf("%s: no error is told", path)
		}
	}
}

func TestStatusShowsOnlyWhatIsVisible(t *testing.T) {
	h := newHistory(1)
	line := sampleLine(0)
	line.Result.From, line.Helo = "a\u202etxt.exe\x1b[2J@x", "two\r\nlines\xff"
	line.Visits = []actors.Visit{{Handler: "h", Event: handlers.KindHelo}}
	h.add(line)
	got := getStatus(t, statusMux(h, 0), "/api/messages/1", http.StatusOK)
	if got["from"] != "a\ufffdtxt.exe\ufffd[2J@x" || got["helo"] != "two  lines\ufffd" {
		t.Errorf("from is %q, helo %q", got["from"], got["helo"])
	}
}
