package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/bench/load"
	"millstream/bench/load/report"
	"millstream/protocol"
)

// A fakeRun is a run that shows what it is told to.
type fakeRun struct {
	config load.Config // that it was called with
	called bool
	result *load.Result
	err    error
}

func (r *fakeRun) run(_ context.Context, cfg load.Config, progress func(load.Progress)) (*load.Result, error) {
	r.config, r.called = cfg, true
	progress(load.Progress{})
	if r.result == nil {
		return nil, r.err
	}
	result := *r.result
	return &result, r.err
}

// bench calls the command with a run, and returns its outcome as that of a program.
func (r *fakeRun) bench(t *testing.T, args ...string) (ran, error) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := (&benchFlags{run: r.run}).command()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&errOut)
	err := c.ExecuteContext(t.Context())
	return ran{out.String(), errOut.String(), exitCode(err)}, err
}

// someResult is what a run of ten seconds has shown.
func someResult(rate int64, latency time.Duration, failures int64) *load.Result {
	hist := hdrhistogram.New(1, int64(time.Hour), 3)
	for range rate * 10 {
		_ = hist.RecordValue(int64(latency))
	}
	r := &load.Result{
		Started: time.Unix(1e9, 0), Elapsed: 10 * time.Second,
		Counts:    load.Counts{Messages: rate * 10},
		Verdicts:  map[string]int64{"accept": rate * 10},
		Latencies: []load.Latency{{Name: load.MessageLatency, Hist: hist}},
	}
	if failures > 0 {
		r.Errors = map[string]int64{load.ErrorLost: failures}
	}
	return r
}

// TestBenchStatus checks the exit status and what is said of broken limits.
func TestBenchStatus(t *testing.T) {
	tests := []struct {
		args   string
		run    fakeRun
		status int
		says   []string // lines of standard error contain them
	}{
		{"", fakeRun{result: someResult(50, time.Millisecond, 0)}, 0, nil},
		{"--max-p99 2ms --max-p50 2ms --min-rate 50", fakeRun{result: someResult(50, time.Millisecond, 0)}, 0, nil},
		{"", fakeRun{result: someResult(50, time.Millisecond, 1)}, 3, []string{"limit is 0"}},
		{"--max-errors 1", fakeRun{result: someResult(50, time.Millisecond, 1)}, 0, nil},
		{"--max-errors -1", fakeRun{result: someResult(50, time.Millisecond, 1000)}, 0, nil},
		{
			"--max-p99 1ms --max-p50 1ms --min-rate 51 --max-errors 1",
			fakeRun{result: someResult(50, 2*time.Millisecond, 2)},
			3,
			[]string{"p50", "p99", "51", "limit is 1"},
		},
		{"", fakeRun{err: errors.New("no milter there")}, 1, nil},
		{"", fakeRun{err: fmt.Errorf("a mistake: %w", protocol.ErrInvalidArgument)}, 2, nil},
		{"--connections 0", fakeRun{}, 2, nil},
		{"nonsense", fakeRun{}, 2, nil},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got, err := tt.run.bench(t, strings.Fields(tt.args)...)
			lines := strings.Count(got.errOut, "\n")
			if got.status != tt.status || lines != len(tt.says) || tt.run.called != (tt.run.result != nil || tt.run.err != nil) {
				t.Errorf("exit status %d, want %d: %v\n%s", got.status, tt.status, err, got.errOut)
			}
			for _, text := range tt.says {
				if !strings.Contains(got.errOut, text) {
					t.Errorf("no %q in\n%s", text, got.errOut)
				}
			}
			if reported := got.out != ""; reported != (tt.run.result != nil) {
				t.Errorf("printed:\n%s", got.out)
			}
		})
	}
}

// TestBenchOutput checks where reports go to and that they are what was asked for.
func TestBenchOutput(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "report")
	for format, want := range map[string]string{
		"text": "latency", "json": `"name": "body"`, "hdr": "#[Histogram log format", "html": "<html",
	} {
		run := fakeRun{result: someResult(5, time.Millisecond, 0)}
		got, err := run.bench(t, "--out", format)
		if err != nil || !strings.Contains(got.out, want) {
			t.Errorf("%s: %v\n%.200s", format, err, got.out)
		}
		if err := os.WriteFile(file, bytes.Repeat([]byte("old"), 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		written, err := run.bench(t, "--out", format, "-o", file)
		text, _ := os.ReadFile(file)
		if err != nil || written.out != "" || string(text) != got.out {
			t.Errorf("%s: %v, printed %q, written %d bytes, want %d", format, err, written.out, len(text), len(got.out))
		}
	}
	run := fakeRun{err: errors.New("no milter")}
	for _, name := range []string{file, filepath.Join(dir, "new")} {
		_, before := os.Stat(name)
		if got, _ := run.bench(t, "-o", name); got.status != 1 {
			t.Errorf("exit status %d", got.status)
		}
		if info, after := os.Stat(name); (before == nil) != (after == nil) || after == nil && info.Size() == 0 {
			t.Errorf("%s is not as before: %v", name, after)
		}
	}
	run = fakeRun{}
	if got, err := run.bench(t, "-o", filepath.Join(dir, "none", "x")); got.status != 2 || run.called {
		t.Errorf("exit status %d, %v", got.status, err)
	}
	run = fakeRun{result: someResult(5, time.Millisecond, 0)}
	if got, err := run.bench(t, "-o", os.DevNull); got.status != 0 {
		t.Errorf("exit status %d, %v", got.status, err)
	}
}

// TestBenchCompare checks that reports are set side by side.
func TestBenchCompare(t *testing.T) {
	var files []string
	for i, rate := range []int64{50, 75} {
		var text bytes.Buffer
		if err := report.JSON(&text, someResult(rate, time.Millisecond, 0)); err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(t.TempDir(), []string{"before", "after"}[i]))
		if err := os.WriteFile(files[i], text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args   []string
		status int
		text   string
	}{
		{[]string{"--compare", files[0], files[1]}, 0, "1.5"},
		{[]string{"--compare", files[0], files[1], files[0], "--out", "html"}, 0, "<html"},
		{[]string{"--compare", files[0]}, 2, "two reports or more"},
		{[]string{"--compare", files[0], files[1], "--out", "json"}, 2, "text or html, not json"},
		{[]string{"--compare", files[0], files[1], "--rate", "5"}, 2, "--rate is of no use"},
		{[]string{"--compare", files[0], "/dev/null/none"}, 2, "no report: open /dev/null/none"},
		{[]string{"--compare", files[0], os.Args[0]}, 2, "no report in " + os.Args[0]},
	}
	for _, tt := range tests {
		run := fakeRun{}
		got, err := run.bench(t, tt.args...)
		if err != nil {
			got.out += err.Error()
		}
		if got.status != tt.status || !strings.Contains(got.out, tt.text) || run.called {
			t.Errorf("%q: exit status %d\n%.1000s", tt.args, got.status, got.out)
		}
	}
}
