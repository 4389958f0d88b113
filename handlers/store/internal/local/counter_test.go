package local

import (
	"math"
	"testing"
	"time"

	"millstream/handlers/store"
)

func TestCounterRoll(t *testing.T) {
	tests := []struct {
		name   string
		window int64
		want   Counter
		moved  bool
	}{
		{"same", 5, Counter{5, 3, 2}, false},
		{"next", 6, Counter{6, 0, 3}, true},
		{"later", 7, Counter{7, 0, 0}, true},
		{"clock set back a little", 4, Counter{5, 3, 2}, false},
		{"clock set back a lot", 2, Counter{2, 0, 0}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Counter{5, 3, 2}
			if moved := c.Roll(tt.window); moved != tt.moved || c != tt.want {
				t.Errorf("moved %v to %v, want %v to %v", moved, c, tt.moved, tt.want)
			}
		})
	}
}

func TestCount(t *testing.T) {
	hour := store.Window{Length: time.Hour}
	sliding := store.Window{Length: time.Hour, Sliding: true}
	tests := []struct {
		name        string
		w           store.Window
		past        time.Duration // of the window
		own, others Counter
		n, limit    int64
		total       int64
		fits        bool
	}{
		{"fixed", hour, 0, Counter{0, 2, 9}, Counter{0, 3, 9}, 1, 10, 6, true},
		{"up to the limit", hour, 0, Counter{0, 2, 9}, Counter{0, 3, 9}, 5, 10, 10, true},
		{"over the limit", hour, 0, Counter{0, 2, 9}, Counter{0, 3, 9}, 6, 10, 5, false},
		{"asked", hour, 0, Counter{0, 20, 0}, Counter{}, 0, 10, 20, true},
		{"sliding, at its beginning", sliding, 0, Counter{0, 1, 10}, Counter{0, 1, 30}, 1, 100, 43, true},
		{"sliding, a quarter", sliding, 15 * time.Minute, Counter{0, 1, 10}, Counter{0, 1, 30}, 1, 100, 33, true},
		{"sliding, over", sliding, 15 * time.Minute, Counter{0, 1, 10}, Counter{0, 1, 30}, 1, 32, 32, false},
		{"taken back", hour, 0, Counter{0, 5, 0}, Counter{0, 4, 0}, -3, 1, 6, true},
		{"no more than there is", hour, 0, Counter{0, 5, 0}, Counter{0, 4, 0}, -30, 1, 4, true},
		{"a lot", hour, 0, Counter{0, math.MaxInt64 - 1, 0}, Counter{0, 4, 0}, 9, NoLimit, math.MaxInt64, true},
	}
	begin := time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := MomentOf(begin.Add(tt.past), tt.w)
			got, fits := m.Count(&tt.own, tt.others, tt.n, tt.limit)
			if got.N != tt.total || fits != tt.fits || !got.Ends.Equal(begin.Add(time.Hour)) {
				t.Errorf("%v, %v, want %d, %v", got, fits, tt.total, tt.fits)
			}
		})
	}
}

func TestSum(t *testing.T) {
	for _, tt := range []struct{ a, b, want int64 }{
		{1, 2, 3},
		{-1, 1, 0},
		{math.MaxInt64, 1, math.MaxInt64},
		{math.MinInt64, -1, math.MinInt64},
		{math.MinInt64, math.MinInt64, math.MinInt64},
		{math.MaxInt64, math.MinInt64, -1},
	} {
		if got := Sum(tt.a, tt.b); got != tt.want {
			t.Errorf("Sum(%d, %d) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// No window and no time to live is so long that the sums of it overflow.
func TestLongest(t *testing.T) {
	m := MomentOf(time.Now(), store.Window{Length: math.MaxInt64})
	if ends := Ends(m.Window, m.Length); ends <= m.Now {
		t.Errorf("a window that ends at %d, and it is %d", ends, m.Now)
	}
	if m.Now+int64(Clamp(math.MaxInt64)) <= m.Now {
		t.Error("a mark ends before it begins")
	}
}
