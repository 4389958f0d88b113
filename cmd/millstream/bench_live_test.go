package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millstream/bench/load"
)

func TestLiveLine(t *testing.T) {
	p := load.Progress{Done: 0.425, Failed: 3}
	p.Interval = load.Interval{
		At: 4250 * time.Millisecond, Length: 2 * time.Second, Messages: 2500, InFlight: 10,
		P50: 1234567, P99: 12345 * time.Microsecond,
	}
	tests := []struct {
		name  string
		edit  func(*load.Progress)
		width int
		want  string
	}{
		{"whole", func(*load.Progress) {}, 0, " 42 %    1250 messages/s  10 in flight  p50 1.23ms  p99 12.3ms  3 errors"},
		{"narrow", func(*load.Progress) {}, 20, " 42 %    1250 messa"},
		{"warm-up", func(p *load.Progress) { p.WarmUp = true }, 100, "warm-up  1250 messages/s"},
		{"no end", func(p *load.Progress) { p.Done = -1 }, 100, "4s       1250"},
		{"late", func(p *load.Progress) { p.Waiting = 7 }, 100, "10 in flight  7 waiting  p50"},
		{"nothing yet", func(p *load.Progress) { *p = load.Progress{} }, 100, "  0 %    0 messages/s  0 in flight  p50 0s  p99 0s  0 errors"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := p
			tt.edit(&p)
			var out strings.Builder
			l := liveLine{w: &out, width: func() int { return tt.width }}
			l.show(p)
			text, ok := strings.CutPrefix(out.String(), clearLine)
			if !ok || !strings.Contains(text, tt.want) || tt.width > 0 && len(text) >= tt.width || strings.Contains(text, "\n") {
				t.Errorf("%q, want %q", out.String(), tt.want)
			}
			out.Reset()
			if l.clear(); out.String() != clearLine {
				t.Errorf("cleared with %q", out.String())
			}
		})
	}
}

// TestLiveLineQuiet checks that nothing is drawn where there is no terminal.
func TestLiveLineQuiet(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out strings.Builder
	for _, l := range []*liveLine{newLiveLine(file), newLiveLine(&out)} {
		l.show(load.Progress{})
		l.clear()
	}
	if info, err := file.Stat(); err != nil || info.Size() != 0 || out.Len() != 0 {
		t.Errorf("%v, %q", info, out.String())
	}
}

func TestShortTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999: "999ns", 1234: "1.23us", 123456: "123us", 1234567: "1.23ms", 61234567890: "1m1.2s",
	} {
		if got := shortTime(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}
