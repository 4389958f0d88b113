package load

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseSchedule(t *testing.T) {
	const s = time.Second
	tests := []struct {
		text, prints string
		want         Schedule
		length       time.Duration
	}{
		{"1000", "1000", Schedule{{1000, 1000, 0}}, 0},
		{"0.5", "0.5", Schedule{{0.5, 0.5, 0}}, 0},
		{"1000/10s,2000/10s", "1000/10s,2000/10s", Schedule{{1000, 1000, 10 * s}, {2000, 2000, 10 * s}}, 20 * s},
		{"100..5000/60s", "100..5000/1m", Schedule{{100, 5000, 60 * s}}, 60 * s},
		{" 0..500 / 90s , 500", "0..500/1m30s,500", Schedule{{0, 500, 90 * s}, {500, 500, 0}}, 0},
		{"5/1h,0..5/500ms,9..1/1h30m", "5/1h,0..5/500ms,9..1/1h30m", Schedule{{5, 5, 3600 * s}, {0, 5, s / 2}, {9, 1, 5400 * s}}, 9000*s + s/2},
		{"7..7/1s", "7/1s", Schedule{{7, 7, s}}, s},
	}
	for _, tt := range tests {
		got, err := ParseSchedule(tt.text)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %v, %v, want %v", tt.text, got, err, tt.want)
		}
		if got.String() != tt.prints || got.Length() != tt.length {
			t.Errorf("%q prints as %q and has %v, want %q and %v", tt.text, got, got.Length(), tt.prints, tt.length)
		}
		if again, err := ParseSchedule(got.String()); err != nil || !slices.Equal(again, got) {
			t.Errorf("%q: read again %v, %v", tt.text, again, err)
		}
	}
}

func TestParseScheduleMistakes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", `"" is no rate; write messages a second such as 1000`},
		{"fast", `"fast" is no rate`},
		{"-1", `"-1" is no rate`},
		{"1e3", `"1e3" is no rate`},
		{"nan", `"nan" is no rate`},
		{"1..", `"" is no rate`},
		{"2000000000", "up to 1000000000 is"},
		{"0.0000000001", "is not possible"},
		{"1000/s", `the step "1000/s" does not end in a time above zero; write 1000/10s`},
		{"1000/0s", "above zero"},
		{"1000/-1s", "above zero"},
		{"1000/10", "above zero"},
		{"1..9", `the step "1..9" has no time; write 1..9/60s`},
		{"1000,2000/10s", `the step "1000" has no time, which only the last needs not; write 1000/10s`},
		{"1000/1s,", `"" is no rate`},
		{"1000/1s,0/1s,5", `the step "0/1s" sends nothing`},
		{"0", `the step "0" sends nothing`},
		{"0..0/10s", "write messages a second such as 1000"},
	}
	for _, tt := range tests {
		if got, err := ParseSchedule(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestScheduleAt(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		schedule string
		n        int64
		want     time.Duration // -1 if the schedule is over
	}{
		{"1000", 0, 0},
		{"1000", 1, ms},
		{"1000", 3_600_000, time.Hour},
		{"0.5", 3, 6000 * ms},
		{"10/1s,20/1s", 9, 900 * ms},
		{"10/1s,20/1s", 10, 1000 * ms},
		{"10/1s,20/1s", 11, 1050 * ms},
		{"10/1s,20/1s", 29, 1950 * ms},
		{"10/1s,20/1s", 30, -1},
		{"0..100/10s", 0, 0},
		{"0..100/10s", 5, 1000 * ms},
		{"0..100/10s", 125, 5000 * ms},
		{"100..0/10s", 0, 0},
		{"100..0/10s", 375, 5000 * ms},
		{"100..0/10s", 500, -1},
		{"10/1s,0..20/1s,7", 10, 1000 * ms},
		{"10/1s,0..20/1s,7", 20, 2000 * ms},
		{"10/1s,0..20/1s,7", 27, 3000 * ms},
	}
	for _, tt := range tests {
		s, err := ParseSchedule(tt.schedule)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := s.At(tt.n)
		if off := (at - tt.want).Abs(); ok != (tt.want >= 0) || ok && off > time.Microsecond {
			t.Errorf("%s: message %d at %v, %v, want %v", tt.schedule, tt.n, at, ok, tt.want)
		}
	}
	pause := Schedule{{From: 10, To: 10, For: time.Second}, {For: 2 * time.Second}, {From: 10, To: 10}}
	if at, ok := pause.At(15); !ok || at != 3500*ms {
		t.Errorf("after a pause: %v, %v", at, ok)
	}
	if at, ok := (Schedule{}).At(0); ok {
		t.Errorf("an empty schedule begins a message at %v", at)
	}
}

// TestScheduleOrder checks that each message begins after the one before, and that
// there are as many of them as the rates make up.
func TestScheduleOrder(t *testing.T) {
	for text, want := range map[string]int64{
		"333/3s":                     999,
		"0..1000/2s,1000..0/2s":      2000,
		"1..3/1s,50..49/0.3s,7/100s": 2 + 15 + 700,
		"0.3..0.1/1m":                12,
	} {
		s, err := ParseSchedule(text)
		if err != nil {
			t.Fatal(err)
		}
		n, last := int64(0), time.Duration(math.MinInt64)
		for at, ok := s.At(n); ok; at, ok = s.At(n) {
			if at < last || at < 0 || at > s.Length() {
				t.Fatalf("%s: message %d at %v, the one before at %v, of %v", text, n, at, last, s.Length())
			}
			last = at
			n++
		}
		if math.Abs(float64(n-want)) > 1 {
			t.Errorf("%s has %d messages, want %d", text, n, want)
		}
	}
}
