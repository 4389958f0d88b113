package report

import (
	"bytes"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"millstream/bench/load"
)

// written returns what a report writes.
func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func text(t *testing.T, r *load.Result) string {
	t.Helper()
	return written(t, func(w io.Writer) error { return Text(w, r) })
}

// fields returns the line of a text that begins with a word, without its spaces.
func fields(s, first string) string {
	for line := range strings.Lines(s) {
		if all := strings.Fields(line); len(all) > 0 && all[0] == first {
			return strings.Join(all, " ")
		}
	}
	return ""
}

func TestText(t *testing.T) {
	r := sample(t, 10, 1)
	r.Counts.Messages = 30_000
	got := text(t, r)
	for first, want := range map[string]string{
		"messages":  "messages 3,000/s, 30,000 in 10.0 s",
		"sessions":  "sessions 10.0/s, 100",
		"verdicts":  "verdicts accept 9,000 (90 %), reject 900 (9 %), tempfail 100 (1 %)",
		"changes":   "changes 12, and 3 recipients refused",
		"chaos":     "chaos 5 aborts, 6 resets, 7 unknown commands, 8 slow reads",
		"errors":    "errors 9",
		"timeout":   "timeout 7",
		"at":        "at 1.50 s: no answer to end-of-message in 30s",
		"generator": "generator 400 µs CPU per message, 0.400 CPUs busy, memory 41.0 MB, at most 52.0 MB, process 10",
		"server":    "server 1.03 ms CPU per message, 1.10 CPUs busy, memory 80.0 MB, at most 95.0 MB, process 11",
		"idle":      "idle 1,000 sessions held, 8.00 kB of memory each, from 60.0 MB without them to 68.0 MB",
		"latency":   "latency count p50 p90 p99 p99.9 max",
	} {
		if line := fields(got, first); line != want {
			t.Errorf("%q, want %q", line, want)
		}
	}
	for _, l := range r.Latencies {
		want := strings.Join(append([]string{l.Name}, latencyValues(&l)...), " ")
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("no row %q in\n%s", want, got)
		}
	}
	if !strings.HasSuffix(got, "\nwarning: "+r.Warnings[0]+"\n") {
		t.Errorf("the warning is not at the end of\n%s", got)
	}
}

func TestTextLeavesOutWhatIsNotKnown(t *testing.T) {
	got := text(t, &load.Result{Elapsed: time.Second})
	for _, first := range []string{"server", "idle", "chaos", "changes", "latency", "warning:"} {
		if line := fields(got, first); line != "" {
			t.Errorf("a line %q", line)
		}
	}
	if line := fields(got, "errors"); line != "errors none" {
		t.Errorf("%q", line)
	}
}

// notNumber finds what prints where there is no number.
var notNumber = regexp.MustCompile(`\b(NaN|Inf)\b`)

func TestTextOfOddities(t *testing.T) {
	for name, r := range oddities(t) {
		for kind, got := range map[string]string{
			"text":    text(t, r),
			"compare": written(t, func(w io.Writer) error { return Compare(w, r, sample(t, 2, 1), r) }),
		} {
			if found := notNumber.FindString(got); found != "" {
				t.Errorf("%s, %s: %q in\n%s", name, kind, found, got)
			}
			for _, r := range got {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%s, %s: prints %q", name, kind, r)
				}
			}
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := named(sample(t, 10, 1), "before"), named(sample(t, 10, 2), "after")
	a.Counts.Messages, b.Counts.Messages = 40_000, 20_000
	b.Server, a.Idle, b.Idle = nil, nil, nil
	b.Errors = map[string]int64{load.ErrorLost: 18}
	b.Latencies = b.Latencies[:3]
	got := written(t, func(w io.Writer) error { return Compare(w, a, b) })
	for _, want := range []string{
		"^ +before +after +ratio$",
		"^messages/s +4,000 +2,000 +0.50×$",
		"^errors +9 +18 +2.00×$",
		"^message p99 .* 2\\.[0-9]+×$|^message p99 .* 1\\.[0-9]+×$",
		"^body p50 .* µs +– +–$",
		"^server memory +80.0 MB +– +–$",
		"^warning: before: the generator kept",
		"^warning: after: the generator kept",
	} {
		if !regexp.MustCompile("(?m)" + want).MatchString(got) {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "idle") {
		t.Errorf("no run held idle sessions, and the table has them:\n%s", got)
	}
}

func TestCompareNothing(t *testing.T) {
	if Compare(io.Discard) == nil || HTML(io.Discard) == nil || HTML(io.Discard, nil) == nil {
		t.Error("a report of no run is no error")
	}
}

func TestCalled(t *testing.T) {
	a, b := named(&load.Result{}, "x"), named(&load.Result{}, "x")
	got := called([]*load.Result{a, {}, b, named(&load.Result{}, " ")})
	want := []string{"x", "run 2", "x (run 3)", "run 4"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("run %d is called %q, want %q", i+1, got[i], want[i])
		}
	}
}

func TestAgainst(t *testing.T) {
	tests := []struct {
		name     string
		better   int
		v, first float64
		text     string
		change   int
	}{
		{"more is better", 1, 2, 1, "2.00×", 1},
		{"more is worse", -1, 2, 1, "2.00×", -1},
		{"less is worse", 1, 1, 2, "0.50×", -1},
		{"hardly", -1, 1.04, 1, "1.04×", 0},
		{"neither", 0, 9, 1, "9.00×", 0},
		{"nothing twice", -1, 0, 0, "=", 0},
		{"some from nothing", -1, 1, 0, "from 0", -1},
		{"more from nothing", 1, 1, 0, "from 0", 1},
		{"unknown from nothing", -1, math.Inf(1), 0, none, 0},
		{"nothing from some", -1, 0, 1, "0×", 1},
		{"unknown", -1, math.NaN(), 1, none, 0},
	}
	for _, tt := range tests {
		m := metric{better: tt.better}
		if text, change := m.against(tt.v, tt.first); text != tt.text || change != tt.change {
			t.Errorf("%s: %q %d, want %q %d", tt.name, text, change, tt.text, tt.change)
		}
	}
}

func TestSideBySide(t *testing.T) {
	var u union
	for _, names := range [][]string{{"a", "c"}, {"a", "b", "c"}, {"z", "c", "d"}} {
		u.next()
		for _, name := range names {
			u.add(name)
		}
	}
	if got := strings.Join(u.names, " "); got != "z a b c d" {
		t.Errorf("the names are %q", got)
	}
	a, b := &load.Result{Settings: []load.Setting{{Name: "x", Value: "1"}}}, &load.Result{Settings: []load.Setting{{Name: "x", Value: "2"}}}
	if rows := sideBySide([]*load.Result{a, b}, setup); !rows[0].differ || rows[1].differ {
		t.Errorf("which settings differ is wrong in %v", rows)
	}
}
