package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"millstream/bench/load/report"
	"millstream/handlers"
	"millstream/protocol"
)

// TestBenchRun loads a server.
func TestBenchRun(t *testing.T) {
	var messages atomic.Int64
	filter := handlers.Chain(
		handlers.Need(handlers.KindEnvelopeFrom, handlers.KindEnvelopeRecipient, handlers.KindBody),
		atEnd(handlers.Accept, func(m *handlers.Message) {
			messages.Add(1)
			m.AddHeader("X-Seen", "yes")
		}),
	)
	socket := serveFilter(t, filter)
	tests := []struct {
		args   string
		status int
		says   string // in the report and the lines about broken limits
	}{
		{"--connections 3 --expect-header x-seen --max-p99 1m --min-rate 1", 0, "accept"},
		{"--rate 1000 --churn --mta sendmail --body 1k..8k --rcpt 2", 0, "session "},
		{"--reuse 2 --out hdr --seed 9", 0, "Tag=message"},
		{"--connections 2 --out html --protocol 2", 0, "</html>"},
		{"--chaos abort=20%,reset=20%,unknown=20% --workers 1", 0, "aborts"},
		{"--expect-header X-Other", 3, "limit is 0"},
		{"--expect-header X-Other --max-errors -1", 0, "X-Other"},
		{"--max-p50 1ns", 3, "limit is 1ns"},
		{"--idle 2 --connections 1", 0, "idle"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			messages.Store(0)
			args := append([]string{"bench", "-p", socket, "--messages", "50", "--warmup", "0"}, strings.Fields(tt.args)...)
			got := runMillstream(t, "", args...)
			if got.status != tt.status || !strings.Contains(got.out+got.errOut, tt.says) || got.out == "" {
				t.Errorf("exit status %d, want %d with %q\n%s%s", got.status, tt.status, tt.says, got.out, got.errOut)
			}
			if (tt.status == 0) != (got.errOut == "") || strings.Contains(got.errOut, "\x1b") {
				t.Errorf("standard error:\n%q", got.errOut)
			}
			if n := messages.Load(); n < 10 || n > 50 {
				t.Errorf("the filter saw %d messages", n)
			}
		})
	}
}

// TestBenchCorpus checks that what a filter sees are the messages of a corpus, and
// that the report in JSON can be read again.
func TestBenchCorpus(t *testing.T) {
	var seen, all atomic.Int64
	filter := handlers.Chain(
		handlers.Observe(func(_ *handlers.Session, h *protocol.Header) {
			if h.Name.EqualFold("Subject") && h.Value.String() == "of the corpus" {
				seen.Add(1)
			}
		}),
		atEnd(handlers.Continue, func(*handlers.Message) { all.Add(1) }),
	)
	dir := t.TempDir()
	for i := range 3 {
		text := fmt.Sprintf("From a@example.org\nSubject: of the corpus\nX: %d\n\nbody\n", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, ".report")
	got := runMillstream(t, "", "bench", "-p", serveFilter(t, filter), "--messages", "20", "--warmup", "0",
		"--corpus", dir, "--out", "json", "-o", file)
	if got.status != 0 || got.out != "" || seen.Load() != 20 || all.Load() != 20 {
		t.Errorf("exit status %d, %d messages of %d\n%s%s", got.status, seen.Load(), all.Load(), got.out, got.errOut)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if r, err := report.ReadJSON(f); err != nil || r.Counts.Messages != 20 || r.Failures() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	runMillstream(t, "", "bench", "--compare", file, file).has(t, "1.00")
}

// TestBenchNoMilter checks what is said where nobody listens.
func TestBenchNoMilter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	got := runMillstream(t, "", "bench", "-p", "unix:"+file+".sock", "-o", file)
	if got.status != 1 || got.out != "" || !strings.Contains(got.errOut, "no connection") || strings.Count(got.errOut, "\n") != 1 {
		t.Errorf("exit status %d\n%s%s", got.status, got.out, got.errOut)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a report of nothing")
	}
}

// TestBenchInterrupted checks that a run that is ended by a signal is reported.
func TestBenchInterrupted(t *testing.T) {
	started := make(chan struct{}, 1)
	filter := atEnd(handlers.Continue, func(*handlers.Message) {
		select {
		case started <- struct{}{}:
		default:
		}
	})
	p := start(t, "bench", "-p", serveFilter(t, filter), "--duration", "1h", "--warmup", "0")
	<-started
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.until(t, "continue")
	p.until(t, "end-of-message")
	if status := p.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.log())
	}
}
