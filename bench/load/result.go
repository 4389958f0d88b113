package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"millstream/protocol"
)

// A Result is what a run has shown. What was sent while the generator warmed up is
// in none of its numbers.
type Result struct {
	Started  time.Time     // when the warm-up was over
	Elapsed  time.Duration // from then on, until the last message was answered or given up
	Settings []Setting     // how the run was set up, in the order to show it
	Machine  Machine
	Agreed   protocol.Options // with the first session

	Counts   Counts
	Verdicts map[string]int64 // messages by the word of their verdict, such as "accept"
	Errors   map[string]int64 // by kind; empty after a clean run
	Samples  []ErrorSample    // the first few errors

	// Latencies has the message first, and then the stages in the order in which
	// they come. Of a stage that the milter does not answer there is none. What
	// ended in an error is in none of them, nor is a message that was due and never
	// sent: Errors and Warnings tell of those.
	Latencies []Latency

	Series    []Interval // one a second
	Generator Usage
	Server    *Usage   // nil if the process is not known
	Idle      *Idle    // nil if no idle sessions were held
	Warnings  []string // why the numbers may not be what they seem
}

// A Setting is one value that a run was set up with.
type Setting struct{ Name, Value string }

// A Machine is where the generator ran.
type Machine struct {
	OS, Arch, CPU, Go string
	CPUs              int
}

// Counts are the totals of a run.
type Counts struct {
	Messages  int64 // that have a verdict
	Sessions  int64 // connections that were negotiated
	Sent      int64 // bytes
	Received  int64
	Changes   int64 // that milters asked for
	Refused   int64 // recipients that were refused alone
	Aborts    int64 // messages given up on purpose
	Resets    int64 // connections broken on purpose
	Unknown   int64 // unknown commands sent on purpose
	SlowReads int64 // pauses made on purpose before answers were read
}

// An ErrorSample is one error as it came.
type ErrorSample struct {
	At         time.Duration // since Started
	Kind, Text string
}

// The kinds of errors.
const (
	ErrorConnect  = "connect"  // no connection
	ErrorOffer    = "offer"    // the negotiation failed
	ErrorProtocol = "protocol" // an answer that may not come where it came
	ErrorLost     = "lost"     // the milter closed the connection or broke it
	ErrorTimeout  = "timeout"  // no answer in time
	ErrorExpected = "expected" // a change that was expected did not come
)

// A Latency is how long one thing took: a stage, or all of a message.
type Latency struct {
	Name string                  // "message", "session" or the word of a stage, such as "envelope-from"
	Hist *hdrhistogram.Histogram // of nanoseconds
}

// MessageLatency is the name of the [Latency] of whole messages, from when each was
// meant to begin. For the first message of a connection, connecting and greeting are
// part of it; so is the time that the SMTP client thinks.
const MessageLatency = "message"

// SessionLatency is the name of the [Latency] of opening a connection: up to the
// answer to the offer.
const SessionLatency = "session"

// An Interval is what happened in one second of a run.
type Interval struct {
	At       time.Duration // its end, since Started
	Length   time.Duration
	Messages int64
	Errors   int64
	InFlight int64 // messages that were begun and not answered, at its end
	Waiting  int64 // messages whose time had come and that no session was free for, at its end
	P50, P99 time.Duration
	Max      time.Duration
	Server   float64 // CPUs that the server kept busy; 0 if it is not known
}

// A Usage is what a process has used during a run.
type Usage struct {
	PID    int
	CPU    time.Duration // user and system
	User   time.Duration
	Memory int64   // resident bytes at the end
	Peak   int64   // resident bytes at most
	CPUs   float64 // CPUs kept busy, on average
}

// Idle is what sessions cost a server that only wait.
type Idle struct {
	Sessions      int   // that were open
	Before, After int64 // resident bytes of the server; 0 if the process is not known
}

// PerSession returns the bytes that a session costs.
func (i *Idle) PerSession() float64 { return float64(i.After-i.Before) / float64(max(i.Sessions, 1)) }

// Rate returns how many of n there were in a second.
func (r *Result) Rate(n int64) float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(n) / r.Elapsed.Seconds()
}

// Failures returns how many errors there were.
func (r *Result) Failures() (n int64) {
	for _, count := range r.Errors {
		n += count
	}
	return n
}

// Latency returns the latency of a name; nil if there is none.
func (r *Result) Latency(name string) *Latency {
	for i := range r.Latencies {
		if r.Latencies[i].Name == name {
			return &r.Latencies[i]
		}
	}
	return nil
}

// Quantile returns how long a share of them, such as 99 %, took at most.
func (l *Latency) Quantile(percent float64) time.Duration {
	return time.Duration(l.Hist.ValueAtQuantile(percent))
}
