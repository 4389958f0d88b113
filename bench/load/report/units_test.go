package report

import (
	"math"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	tests := []struct {
		in   time.Duration
		want string
	}{
		{0, "0 s"},
		{1, "1 ns"},
		{999, "999 ns"},
		{1500, "1.50 µs"},
		{999_960, "1.00 ms"},
		{12_345_678, "12.3 ms"},
		{time.Second, "1.00 s"},
		{90 * time.Second, "90.0 s"},
		{3 * time.Minute, "3.00 min"},
		{36 * time.Hour, "36.0 h"},
		{-1500, "-1.50 µs"},
		{math.MaxInt64, "2.56e+06 h"},
	}
	for _, tt := range tests {
		if got := span(tt.in); got != tt.want {
			t.Errorf("span(%d) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"bytes", size(512), "512 B"},
		{"kilobytes", size(4096), "4.10 kB"},
		{"negative bytes", size(-1.2e6), "-1.20 MB"},
		{"infinite bytes", size(math.Inf(1)), none},
		{"no number", number(math.NaN()), none},
		{"small", number(0.01234), "0.0123"},
		{"tiny", number(1.234e-9), "1.23e-09"},
		{"rounded up", number(999.7), "1,000"},
		{"great", number(1234567), "1,234,567"},
		{"very great", number(1e20), "1e+20"},
		{"whole", whole(7), "7"},
		{"count", count(-1234567), "-1,234,567"},
		{"least count", count(math.MinInt64), "-9,223,372,036,854,775,808"},
		{"three digits", count(123), "123"},
		{"share", share(1, 3), "33.3 %"},
		{"small share", share(1, 1e6), "under 0.01 %"},
		{"no share", share(0, 7), "0 %"},
		{"share of nothing", share(1, 0), none},
		{"same", times(1), "1.00×"},
		{"thousandfold", times(1234.5), "1230×"},
		{"thousandth", times(0.001), "0.001×"},
		{"tick", inShort(tickUnits, 1e4), "10k"},
		{"tick of time", inShort(timeUnits, 5e5), "500 µs"},
		{"tick of nothing", inShort(timeUnits, 0), "0"},
		{"greatest", digits(math.MaxFloat64), "1.8e+308"},
		{"median", percentile(2), "50 %"},
		{"four nines", percentile(1e4), "99.99 %"},
		{"between", percentile(12), "91.67 %"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain – text", "plain – text"},
		{"two\r\nlines\t!", "two  lines !"},
		{"\x1b[31mred\x07", "\ufffd[31mred\ufffd"},
		{"a\u202eb\x00", "a\ufffdb\ufffd"},
		{"\xff", "\ufffd"},
	}
	for _, tt := range tests {
		if got := clean(tt.in); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
