package report

import (
	"math"
	"time"
)

// The types here are the JSON of a report. Other programs read it: a field may be
// added, and any other change is a new format.

type runJSON struct {
	Format    string           `json:"format"`
	Started   time.Time        `json:"started"`
	Elapsed   float64          `json:"elapsed_seconds"`
	Settings  []settingJSON    `json:"settings"`
	Machine   machineJSON      `json:"machine"`
	Agreed    optionsJSON      `json:"agreed"`
	Rates     ratesJSON        `json:"rates"` // drawn from the rest
	Counts    countsJSON       `json:"counts"`
	Verdicts  map[string]int64 `json:"verdicts"`
	Errors    map[string]int64 `json:"errors"`
	Samples   []sampleJSON     `json:"error_samples"`
	Latencies []latencyJSON    `json:"latencies"`
	Series    []intervalJSON   `json:"series"`
	Generator usageJSON        `json:"generator"`
	Server    *usageJSON       `json:"server,omitempty"`
	Idle      *idleJSON        `json:"idle,omitempty"`
	Warnings  []string         `json:"warnings"`
}

type settingJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type machineJSON struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPU  string `json:"cpu"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

type optionsJSON struct {
	Version uint32 `json:"version"`
	Actions uint32 `json:"actions"`
	Steps   uint32 `json:"steps"`
}

type ratesJSON struct {
	Messages float64 `json:"messages_per_second"`
	Sessions float64 `json:"sessions_per_second"`
	Sent     float64 `json:"sent_bytes_per_second"`
	Received float64 `json:"received_bytes_per_second"`
}

type countsJSON struct {
	Messages  int64 `json:"messages"`
	Sessions  int64 `json:"sessions"`
	Sent      int64 `json:"sent_bytes"`
	Received  int64 `json:"received_bytes"`
	Changes   int64 `json:"changes"`
	Refused   int64 `json:"refused_recipients"`
	Aborts    int64 `json:"aborts"`
	Resets    int64 `json:"resets"`
	Unknown   int64 `json:"unknown_commands"`
	SlowReads int64 `json:"slow_reads"`
}

type sampleJSON struct {
	At   float64 `json:"at_seconds"`
	Kind string  `json:"kind"`
	Text string  `json:"text"`
}

type latencyJSON struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"` // this and the next are drawn from the histogram
	Min   float64 `json:"min_us"`
	Mean  float64 `json:"mean_us"`
	P50   float64 `json:"p50_us"`
	P90   float64 `json:"p90_us"`
	P99   float64 `json:"p99_us"`
	P999  float64 `json:"p99_9_us"`
	Max   float64 `json:"max_us"`
	Hist  string  `json:"histogram"`
}

type intervalJSON struct {
	At       float64 `json:"at_seconds"`
	Length   float64 `json:"length_seconds"`
	Messages int64   `json:"messages"`
	Errors   int64   `json:"errors"`
	InFlight int64   `json:"in_flight"`
	Waiting  int64   `json:"waiting"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	Max      float64 `json:"max_us"`
	Server   float64 `json:"server_cpus"`
}

type usageJSON struct {
	PID    int     `json:"pid"`
	CPU    float64 `json:"cpu_seconds"`
	User   float64 `json:"user_seconds"`
	Each   float64 `json:"cpu_us_per_message"` // drawn from the rest
	CPUs   float64 `json:"cpus_busy"`
	Memory int64   `json:"memory_bytes"`
	Peak   int64   `json:"peak_memory_bytes"`
}

type idleJSON struct {
	Sessions int     `json:"sessions"`
	Before   int64   `json:"memory_before_bytes"`
	After    int64   `json:"memory_after_bytes"`
	Each     float64 `json:"bytes_per_session"` // drawn from the rest
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// duration returns a number of units. One that is too great is the greatest.
func duration(v float64, unit time.Duration) time.Duration {
	ns := math.Round(v * float64(unit))
	switch {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(ns)
}
