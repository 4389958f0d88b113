package corpus

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"0", 0},
		{"512", 512},
		{"512B", 512},
		{"4KiB", 4096},
		{"64k", 65536},
		{"64K", 65536},
		{" 1 MiB ", 1 << 20},
		{"1.5MiB", 3 << 19},
		{"2g", 2 << 30},
		{"0.5k", 512},
	}
	for _, tt := range tests {
		if got, err := ParseSize(tt.text); err != nil || got != tt.want {
			t.Errorf("%q: %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "k", "4KB", "-1", "1e3", "0x10", "inf", "nan", "1..2", "1 2", "1.2.3k"} {
		if got, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), "write bytes such as 512") {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if _, err := ParseSize("99999999999999999g"); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
}

func TestFormatSize(t *testing.T) {
	for _, text := range []string{"0", "1", "1000", "1KiB", "1025", "64MiB", "1536KiB", "1GiB"} {
		n, err := ParseSize(text)
		if got := formatSize(n); err != nil || got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// TestSizes checks how many sizes stand for a distribution, and which.
func TestSizes(t *testing.T) {
	tests := []struct {
		text, prints string
		count        int
		low, high    int64
		mean         float64
	}{
		{"4KiB", "4KiB", 1, 4096, 4096, 4096},
		{"0", "0", 1, 0, 0, 0},
		{"1KiB..64k", "1KiB..64KiB", 64, 1528, 65032, 33280},
		{"7..7", "7", 1, 7, 7, 7},
		{"lognormal:4KiB,1", "lognormal:4KiB,1", 64, 365, 45951, 4096 * math.Exp(0.5)},
		{"lognormal:64MiB,10", "lognormal:64MiB,10", 64, 0, MaxMail, 0},
		{"70%:2KiB,25%:20KiB,5%:1MiB", "70%:2KiB,25%:20KiB,5%:1MiB", 20, 2048, 1 << 20, .7*2048 + .25*20480 + .05*(1<<20)},
		{"99.9%:1, 0.1%:1001", "99.9%:1,0.1%:1001", 1000, 1, 1001, 2},
		{"50%:lognormal:1KiB,0.5,50%:1..100", "50%:lognormal:1KiB,0.5,50%:1..100", 64, 3, 3006, (1024*math.Exp(0.125) + 50.5) / 2},
		{"75%:1,25%:1..3", "75%:1,25%:1..3", 64, 1, 3, 1.25},
		{"100%:5", "5", 1, 5, 5, 5},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			sizes, err := ParseSizes(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := sizes.String(); got != tt.prints {
				t.Errorf("prints as %q, want %q", got, tt.prints)
			}
			if again, err := ParseSizes(sizes.String()); err != nil || !slices.Equal(again.parts, sizes.parts) {
				t.Errorf("read again: %v, %v", again, err)
			}
			if n := sizes.count(); n != tt.count {
				t.Errorf("%d sizes, want %d", n, tt.count)
			}
			list := sizes.spread(sizes.count())
			if low, high := slices.Min(list), slices.Max(list); low != tt.low || high != tt.high {
				t.Errorf("from %d to %d, want from %d to %d", low, high, tt.low, tt.high)
			}
			if got := mean(list); tt.mean != 0 && math.Abs(got/tt.mean-1) > 0.05 {
				t.Errorf("%v on average, want %v", got, tt.mean)
			}
		})
	}
}

func mean(list []int64) (sum float64) {
	for _, n := range list {
		sum += float64(n) / float64(len(list))
	}
	return sum
}

func TestParseSizesMistakes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "write bytes such as 512"},
		{"4KB", `"4KB" is no size`},
		{"4KiB..1KiB", "goes down"},
		{"4KiB..", `"" is no size`},
		{"65MiB", "64MiB at most"},
		{"1..65MiB", "64MiB at most"},
		{"lognormal:4KiB", "write lognormal:4KiB,1.5"},
		{"lognormal:4KiB,0", "write lognormal:4KiB,1.5"},
		{"lognormal:4KiB,nan", "write lognormal:4KiB,1.5"},
		{"lognormal:0,1", "median above 0"},
		{"50%:1,50%:x", `"x" is no size`},
		{"50%:1,49%:2", "make up 99%, not 100%"},
		{"50%:1,2", "write a mix as in 70%:2KiB"},
		{"1,2", "write a mix as in 70%:2KiB"},
		{"100.1%:1", "from 0.1% to 100%"},
		{"nan%:1", "from 0.1% to 100%"},
		{"99.99%:1,0.01%:1", "from 0.1% to 100%"},
	}
	for _, tt := range tests {
		if sizes, err := ParseSizes(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, %v, want %q", tt.text, sizes, err, tt.want)
		}
	}
}
