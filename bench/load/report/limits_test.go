package report

import (
	"regexp"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/bench/load"
)

func TestLimits(t *testing.T) {
	h := hdrhistogram.New(1, int64(time.Minute), 3)
	for i := range int64(100) {
		if err := h.RecordValue((i + 1) * int64(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	run := &load.Result{
		Elapsed:   10 * time.Second,
		Counts:    load.Counts{Messages: 1000},
		Errors:    map[string]int64{load.ErrorLost: 2, load.ErrorTimeout: 1},
		Latencies: []load.Latency{{Name: load.MessageLatency, Hist: h}},
	}
	empty := &load.Result{}
	tests := []struct {
		name   string
		limits Limits
		run    *load.Result
		broken []string // patterns
	}{
		{"none", Limits{MaxErrors: -1}, run, nil},
		{"kept", Limits{MaxP50: time.Second, MaxP99: time.Second, MinRate: 100, MaxErrors: 3}, run, nil},
		{"p50", Limits{MaxP50: 49 * time.Millisecond, MaxErrors: -1}, run, []string{`^p50 of a message is 50\.\d+ms; the limit is 49ms\.$`}},
		{"p99", Limits{MaxP99: 5 * time.Millisecond, MaxErrors: -1}, run, []string{`^p99 of a message is 99\.\d+ms; the limit is 5ms\.$`}},
		{"rate", Limits{MinRate: 200, MaxErrors: -1}, run, []string{`^The rate is 100 messages/s; the limit is at least 200\.$`}},
		{"hardly", Limits{MinRate: 100.001, MaxErrors: -1}, run, []string{`100 messages/s; the limit is at least 100\.001\.$`}},
		{"errors", Limits{}, run, []string{`^There were 3 errors; the limit is 0\.$`}},
		{
			"all",
			Limits{MaxP50: 1, MaxP99: 1, MinRate: 1e9, MaxErrors: 2},
			run,
			[]string{"p50", "p99", "1,000,000,000", "limit is 2"},
		},
		{
			"no message",
			Limits{MaxP50: time.Second, MaxP99: time.Second, MinRate: 1, MaxErrors: 0},
			empty,
			[]string{"p50 is not known; the limit is 1s", "p99 is not known", "The rate is 0 messages/s"},
		},
		{"nothing at all", Limits{}, empty, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.limits.Check(tt.run)
			if len(got) != len(tt.broken) {
				t.Fatalf("%q, want %q", got, tt.broken)
			}
			for i, pattern := range tt.broken {
				if !regexp.MustCompile(pattern).MatchString(got[i]) {
					t.Errorf("%q, want %q", got[i], pattern)
				}
			}
		})
	}
}
