package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startPrometheus starts Prometheus, which scrapes an address, and returns its own.
func startPrometheus(t *testing.T, target string) (base string) {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed: bench/e2e/install.sh brings it")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("scrape_configs:\n- job_name: millstream\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n"+
		"  static_configs:\n  - targets: [%q]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--enable-feature=exemplar-storage", "--log.level=error")
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address
}

// TestPrometheus has Prometheus scrape a server, and asks it for what it has found: how
// many messages there were, and where they are traced.
func TestPrometheus(t *testing.T) {
	c := startCollector(t)
	s := startServe(t, serveFlags{admin: "127.0.0.1:0", adminGiven: true}, defaultFilter)
	base := startPrometheus(t, adminAddress(t, s))
	deliverAll(t, s.socket, mail("Q1"), mail("Q2"))
	found := func(query string, texts ...string) func() bool {
		return func() bool {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+query, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			a, err := http.DefaultClient.Do(r)
			if err != nil { // it is not up yet
				return false
			}
			defer a.Body.Close()
			var body bytes.Buffer
			_, _ = body.ReadFrom(a.Body)
			for _, text := range texts {
				if !strings.Contains(body.String(), text) {
					return false
				}
			}
			return true
		}
	}
	const query = `milter_messages_total{milter_verdict="continue"}`
	waitFor(t, "the messages are counted", found("/api/v1/query?query="+url.QueryEscape(query), `,"2"]`))
	waitFor(t, "there are exemplars", found("/api/v1/query_exemplars?start=0&end=9999999999&query="+url.QueryEscape(query), `"trace_id":"`))
	s.stop(t)
	if n := len(c.named("milter.message")); n != 2 {
		t.Errorf("%d messages are traced", n)
	}
}
