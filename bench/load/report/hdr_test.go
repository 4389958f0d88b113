package report

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/bench/load"
)

func TestHDR(t *testing.T) {
	r := sample(t, 10, 1)
	r.Latencies = append(r.Latencies, load.Latency{Name: "a, b\nc", Hist: r.Latencies[0].Hist}, load.Latency{Name: "none"})
	log := written(t, func(w io.Writer) error { return HDR(w, r) })
	reader := hdrhistogram.NewHistogramLogReader(strings.NewReader(log))
	for _, l := range r.Latencies[:len(r.Latencies)-1] {
		h, err := reader.NextIntervalHistogram()
		if err != nil || h == nil {
			t.Fatalf("%s: %v %v", l.Name, h, err)
		}
		if !h.Equals(l.Hist) {
			t.Errorf("%s: another histogram", l.Name)
		}
		if want := strings.NewReplacer(", ", "--", "\n", "-").Replace(l.Name); h.Tag() != want {
			t.Errorf("the tag is %q, want %q", h.Tag(), want)
		}
		if start := time.UnixMilli(h.StartTimeMs()); start.Sub(r.Started).Abs() > time.Millisecond {
			t.Errorf("%s starts at %v, want %v", l.Name, start, r.Started)
		}
		if took := h.EndTimeMs() - h.StartTimeMs(); took < 9999 || took > 10001 {
			t.Errorf("%s took %d ms", l.Name, took)
		}
		if l.Hist.Tag() != "" {
			t.Errorf("the histogram of the run has the tag %q now", l.Hist.Tag())
		}
	}
	if h, err := reader.NextIntervalHistogram(); h != nil || err != nil {
		t.Errorf("there is more: %v %v", h, err)
	}
}

func TestHDROfOddities(t *testing.T) {
	for name, r := range oddities(t) {
		log := written(t, func(w io.Writer) error { return HDR(w, r) })
		if found := notNumber.FindString(log); found != "" {
			t.Errorf("%s: %q in the log", name, found)
		}
		reader := hdrhistogram.NewHistogramLogReader(strings.NewReader(log))
		for _, l := range r.Latencies {
			if l.Hist == nil {
				continue
			}
			if h, err := reader.NextIntervalHistogram(); err != nil || h == nil || !h.Equals(l.Hist) {
				t.Errorf("%s, %q: %v", name, l.Name, err)
			}
		}
	}
}
