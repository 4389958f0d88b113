package load

import (
	"maps"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/protocol"
)

// maxSamples is how many errors are kept as they came.
const maxSamples = 20

// The histograms hold up to an hour. Those of one second are less exact, to be
// cleared sooner.
const (
	longestTime    = int64(time.Hour)
	digits         = 3
	intervalDigits = 2
)

// stages are the commands that may have answers, in the order in which they come.
var stages = [...]protocol.Code{
	protocol.CodeConnect, protocol.CodeHelo, protocol.CodeMailFrom, protocol.CodeRcptTo, protocol.CodeData,
	protocol.CodeUnknown, protocol.CodeHeader, protocol.CodeEndOfHeader, protocol.CodeBody, protocol.CodeEndOfMessage,
}

// The places of latencies in stats; those of stages follow.
const (
	messagePlace = iota
	sessionPlace
	firstStage
	places = firstStage + len(stages)
)

// placeOf has the place of each stage.
var placeOf = func() (place [256]uint8) {
	for i, code := range stages {
		place[code] = uint8(firstStage + i)
	}
	return place
}()

// stats are what one worker has seen.
type stats struct {
	counts    Counts
	verdicts  [256]int64 // by status
	errors    map[string]int64
	failures  int64
	samples   []ErrorSample
	latencies [places]*hdrhistogram.Histogram
	interval  *hdrhistogram.Histogram // of messages since it was last looked at
}

func newStats() stats {
	s := stats{errors: map[string]int64{}, interval: hdrhistogram.New(1, longestTime, intervalDigits)}
	for i := range s.latencies {
		s.latencies[i] = hdrhistogram.New(1, longestTime, digits)
	}
	return s
}

// took notes how long something took.
func (s *stats) took(place uint8, nanoseconds int64) {
	nanoseconds = min(max(nanoseconds, 1), longestTime)
	_ = s.latencies[place].RecordValue(nanoseconds) // it is in range
	if place == messagePlace {
		_ = s.interval.RecordValue(nanoseconds)
	}
}

// failed notes an error.
func (s *stats) failed(at time.Duration, kind string, err error) {
	s.errors[kind]++
	s.failures++
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, ErrorSample{at, kind, err.Error()})
	}
}

// reset forgets everything.
func (s *stats) reset() {
	s.counts, s.verdicts, s.failures, s.samples = Counts{}, [256]int64{}, 0, nil
	clear(s.errors)
	for _, h := range s.latencies {
		h.Reset()
	}
	s.interval.Reset()
}

// add adds what is in s to a result.
func (s *stats) add(r *Result) {
	c, o := &r.Counts, &s.counts
	c.Messages += o.Messages
	c.Sessions += o.Sessions
	c.Sent += o.Sent
	c.Received += o.Received
	c.Changes += o.Changes
	c.Refused += o.Refused
	c.Aborts += o.Aborts
	c.Resets += o.Resets
	c.Unknown += o.Unknown
	c.SlowReads += o.SlowReads
	for status, n := range s.verdicts {
		if n > 0 {
			r.Verdicts[protocol.Status(status).String()] += n
		}
	}
	for kind := range maps.Keys(s.errors) {
		r.Errors[kind] += s.errors[kind]
	}
	r.Samples = append(r.Samples, s.samples...)
	for i, h := range s.latencies {
		if r.Latencies[i].Hist == nil {
			r.Latencies[i].Hist = h
		} else {
			r.Latencies[i].Hist.Merge(h)
		}
	}
}

// latencyName returns the name of the latency at a place.
func latencyName(place int) string {
	switch place {
	case messagePlace:
		return MessageLatency
	case sessionPlace:
		return SessionLatency
	}
	return stages[place-firstStage].String()
}
