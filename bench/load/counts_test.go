package load

import (
	"fmt"
	"testing"
	"time"

	"millstream/protocol"
)

// As many messages are sent as were asked for, whatever the loop, and each number of
// the result is of them and no others.
func TestExactCounts(t *testing.T) {
	const n = 100
	address := serve(t, "unix", adding(false))
	for workers := 1; workers <= 3; workers++ {
		for _, rate := range []Schedule{nil, {{From: 20000, To: 20000}}} {
			for _, reuse := range []int{0, 1, 3} {
				for _, warmUp := range []time.Duration{0, 10 * time.Millisecond} {
					name := fmt.Sprintf("%d workers, rate %v, reuse %d, warm-up %v", workers, rate, reuse, warmUp)
					t.Run(name, func(t *testing.T) {
						r, err := Run(t.Context(), Config{
							Address: address, Mails: mails()[:1], Connections: 3, Workers: workers, Messages: n,
							Rate: rate, Reuse: reuse, WarmUp: warmUp, Expect: []string{"X-Load"},
						}, nil)
						if err != nil || r.Failures() > 0 || len(r.Verdicts) != 1 {
							t.Fatalf("%v, %v, %v, %v", err, r.Errors, r.Samples, r.Verdicts)
						}
						if c := r.Counts; c.Messages != n || c.Changes != n || r.Verdicts["continue"] != n {
							t.Errorf("%+v, %v", c, r.Verdicts)
						}
						for _, stage := range []string{MessageLatency, "envelope-from", "end-of-message"} {
							if got := r.Latency(stage).Hist.TotalCount(); got != n {
								t.Errorf("%d latencies of %s", got, stage)
							}
						}
					})
				}
			}
		}
	}
}

// A milter hears of as many messages as are counted.
func TestExactCountsHeard(t *testing.T) {
	for _, workers := range []int{1, 3} {
		m := &testMilter{}
		r, err := Run(t.Context(), Config{
			Address: m.start(t), Mails: mails()[:1], Connections: 4, Workers: workers, Messages: 57, Reuse: 2,
		}, nil)
		if err != nil || r.Counts.Messages != 57 || r.Failures() > 0 {
			t.Errorf("%+v, %v, %v", r.Counts, r.Errors, err)
		}
		ends, connects, quits := m.count(protocol.CodeEndOfMessage), m.count(protocol.CodeConnect), m.count(protocol.CodeQuit)
		if ends != 57 || connects != r.Counts.Sessions || quits != connects {
			t.Errorf("%d ends of messages; %d of %d connections quit, want %d", ends, quits, connects, r.Counts.Sessions)
		}
	}
}

// A schedule that ends has the run end, when all that was due has been sent.
func TestScheduleEnds(t *testing.T) {
	address := serve(t, "unix", adding(true))
	for text, want := range map[string]int64{
		"1000/50ms":                 50,
		"1000/20ms,4000/20ms":       100,
		"0..2000/40ms,2000..0/40ms": 80,
	} {
		rate, err := ParseSchedule(text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), Config{Address: address, Mails: mails(), Connections: 5, Workers: 3, Rate: rate}, nil)
		if err != nil || r.Failures() > 0 || r.Counts.Messages != want {
			t.Errorf("%s: %d messages, want %d; %v, %v", text, r.Counts.Messages, want, r.Errors, err)
		}
	}
}

// All messages are sent though there are fewer sessions for them than workers.
func TestFewConnections(t *testing.T) {
	for _, rate := range []Schedule{nil, {{From: 5000, To: 5000}}} {
		m := &testMilter{}
		r, err := Run(t.Context(), Config{
			Address: m.start(t), Mails: mails()[:1], Connections: 1, Idle: 3, Workers: 3, Messages: 20, Rate: rate,
		}, nil)
		if err != nil || r.Counts.Messages != 20 || r.Failures() > 0 || r.Idle.Sessions != 3 {
			t.Errorf("%+v, %v, %v, %v", r.Counts, r.Errors, r.Idle, err)
		}
	}
}
