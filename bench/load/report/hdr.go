package report

import (
	"io"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/bench/load"
)

// HDR writes the latencies of a run as an HdrHistogram log: one interval that is the
// whole run for each of them, with its name as the tag. Values are nanoseconds, the
// greatest beside each histogram is in milliseconds, as the format has it.
func HDR(w io.Writer, r *load.Result) error {
	log := hdrhistogram.NewHistogramLogWriter(w)
	start := r.Started.UnixMilli()
	if r.Started.IsZero() {
		start = 0
	}
	for _, write := range []func() error{
		func() error { return log.OutputComment("[Latencies in nanoseconds, logged by millstream bench]") },
		log.OutputLogFormatVersion,
		func() error { return log.OutputStartTime(start) },
		log.OutputLegend,
	} {
		if err := write(); err != nil {
			return err
		}
	}
	for _, l := range r.Latencies {
		if l.Hist == nil {
			continue
		}
		h := l.Hist.Clone() // that of the Result keeps its tag
		h.SetTag(tag(l.Name))
		h.SetStartTimeMs(start)
		h.SetEndTimeMs(start + r.Elapsed.Milliseconds())
		if err := log.OutputIntervalHistogram(h); err != nil {
			return err
		}
	}
	return nil
}

// tag returns a name without what ends a tag.
func tag(name string) string {
	b := []rune(clean(name))
	for i, r := range b {
		if r == ' ' || r == ',' {
			b[i] = '-'
		}
	}
	return string(b)
}
