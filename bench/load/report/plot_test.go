package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var nan, inf = math.NaN(), math.Inf(1)

func labels(s *scale) string {
	var all []string
	for _, t := range s.ticks {
		all = append(all, t.label)
	}
	return strings.Join(all, " ")
}

func TestScale(t *testing.T) {
	tests := []struct {
		name   string
		axis   axis
		values []float64
		lo, hi float64
		ticks  string
	}{
		{"from zero", axis{zero: true}, []float64{3, 97}, 0, 100, "0 20 40 60 80 100"},
		{"not from zero", axis{}, []float64{103, 197}, 100, 200, "100 120 140 160 180 200"},
		{"below zero", axis{zero: true}, []float64{-5, 5}, -6, 6, "-6 -4 -2 0 2 4 6"},
		{"one value", axis{zero: true}, []float64{7}, 0, 8, "0 2 4 6 8"},
		{"zeros", axis{zero: true}, []float64{0, 0}, 0, 1, "0 0.2 0.4 0.6 0.8 1"},
		{"same", axis{}, []float64{5, 5}, 5, 6, "5 5.2 5.4 5.6 5.8 6"},
		{"tight", axis{tight: true}, []float64{1, 10}, 1, 10, "2 4 6 8 10"},
		{"close together", axis{}, []float64{10001, 10003}, 10001, 10003, "10001 10001.5 10002 10002.5 10003"},
		{"steps", axis{zero: true, tight: true, steps: secondSteps}, []float64{75}, 0, 75, "0 15 30 45 60 75"},
		{"gaps", axis{zero: true}, []float64{nan, 1, inf, -inf, 1e305}, 0, 1, "0 0.2 0.4 0.6 0.8 1"},
		{"must", axis{zero: true, must: []float64{10}}, []float64{1}, 0, 10, "0 2 4 6 8 10"},
		{"decades", axis{log: true}, []float64{1, 10000}, 1, 10000, "1 10 100 1000 10k"},
		{"few decades", axis{log: true}, []float64{3, 40}, 2, 50, "2 5 10 20 50"},
		{"many decades", axis{log: true}, []float64{1, 1e12}, 1, 1e12, "1 100 10k 1M 100M 10G 1T"},
		{"one for log", axis{log: true}, []float64{7}, 5, 10, "5 10"},
		{"one round for log", axis{log: true}, []float64{10}, 10, 20, "10 20"},
		{"log tight", axis{log: true, tight: true}, []float64{2, 300}, 2, 300, "10 100"},
		{"log of none", axis{log: true}, []float64{0, -1, 5, 10}, 5, 10, "5 10"},
		{"fixed", axis{log: true, tight: true, format: percentile, ticks: percentileTicks}, []float64{2, 2000}, 2, 2000, "50 % 90 % 99 % 99.9 %"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, ok := tt.axis.fit(tt.values)
			if !ok || math.Abs(s.lo-tt.lo) > 1e-9*tt.hi || math.Abs(s.hi-tt.hi) > 1e-9*tt.hi {
				t.Fatalf("%v from %g to %g, want %g to %g", ok, s.lo, s.hi, tt.lo, tt.hi)
			}
			if got := labels(&s); got != tt.ticks {
				t.Errorf("ticks %q, want %q", got, tt.ticks)
			}
			if lo, hi := s.at(s.lo), s.at(s.hi); lo != 0 || hi != 1 {
				t.Errorf("the ends are at %g and %g", lo, hi)
			}
		})
	}
}

func TestScaleOfNothing(t *testing.T) {
	for _, values := range [][]float64{nil, {nan}, {inf, -inf}} {
		if _, ok := (&axis{}).fit(values); ok {
			t.Errorf("%v has a scale", values)
		}
	}
	if _, ok := (&axis{log: true}).fit([]float64{0, -3}); ok {
		t.Error("there is a logarithm of zero")
	}
}

// Whatever the values are, there are a few ticks, upwards and with labels of their own.
func TestTicksAreFew(t *testing.T) {
	ends := []float64{-1e299, -1e15, -3, -1e-9, 0, 5e-324, 1e-290, 1e-9, 0.1, 1, 1.0000001, 7, 99.5, 1e6, 1e15, 1e15 + 1, 1e299}
	for _, log := range []bool{false, true} {
		for _, a := range ends {
			for _, b := range ends {
				for _, x := range []axis{{log: log}, {log: log, tight: true}, {log: log, zero: true}, {log: log, steps: secondSteps}} {
					s, ok := x.fit([]float64{a, b})
					if !ok {
						continue
					}
					up := slices.IsSortedFunc(s.ticks, func(a, b tick) int {
						if a.value < b.value && a.label != b.label {
							return -1
						}
						return 1
					})
					if len(s.ticks) > 14 || !up || !finite(s.at(a)) && x.draws(a) {
						t.Fatalf("%v with %g and %g: %d ticks %q, at %g", log, a, b, len(s.ticks), labels(&s), s.at(a))
					}
				}
			}
		}
	}
}

func drawnFigure(curves ...curve) figure {
	c := chart{title: "T", x: axis{zero: true, tight: true}, y: axis{zero: true}, curves: curves}
	return c.draw()
}

func TestDraw(t *testing.T) {
	f := drawnFigure(curve{name: "a", xs: []float64{0, 5, 10}, ys: []float64{0, 5, 10}})
	if want := "M62 256L283 141L504 26"; len(f.Lines) != 1 || f.Lines[0].Path != want {
		t.Errorf("the path is %q, want %q", f.Lines[0].Path, want)
	}
	if f.Legend != nil {
		t.Errorf("a single line has a legend: %v", f.Legend)
	}
	if d := f.Lines[0].Dots[1]; d != (dot{"283", "141", "a: 5 at 5", true}) {
		t.Errorf("the second point is %+v", d)
	}
	f = drawnFigure(
		curve{name: "a", xs: []float64{0, 1}, ys: []float64{0, 1}},
		curve{name: "b", hue: 9, dashed: true, xs: []float64{0, 1}, ys: []float64{0, 1}})
	if !slices.Equal(f.Legend, []legendKey{{"a", "c0"}, {"b", "c1 dashed"}}) {
		t.Errorf("the legend is %v", f.Legend)
	}
}

func TestDrawGaps(t *testing.T) {
	c := curve{name: "a"}
	for i := range 3 * maxShown {
		c.xs = append(c.xs, float64(i))
		c.ys = append(c.ys, 1)
	}
	c.ys[1], c.ys[5], c.ys[7] = nan, inf, -inf // 0 and 6 are alone
	f := drawnFigure(c)
	if n := strings.Count(f.Lines[0].Path, "M"); n != 4 {
		t.Errorf("%d pieces, want 4: %s", n, f.Lines[0].Path)
	}
	var shown []string
	for _, d := range f.Lines[0].Dots {
		if d.Shown {
			_, x, _ := strings.Cut(d.Tip, " at ")
			shown = append(shown, x)
		}
	}
	if !slices.Equal(shown, []string{"0", "6"}) {
		t.Errorf("the points %q are marked, want those that no line leads to", shown)
	}
}

func TestDrawNothing(t *testing.T) {
	for name, f := range map[string]figure{
		"no line":     drawnFigure(),
		"no point":    drawnFigure(curve{name: "a"}),
		"no number":   drawnFigure(curve{xs: []float64{1}, ys: []float64{nan}}),
		"no place":    drawnFigure(curve{xs: []float64{inf}, ys: []float64{1}}),
		"other gaps":  drawnFigure(curve{xs: []float64{nan, 1}, ys: []float64{1, nan}}),
		"fewer of ys": drawnFigure(curve{xs: []float64{1}}),
	} {
		if !f.Empty || f.Lines != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestMarksDoNotOverlap(t *testing.T) {
	c := chart{
		small:  true,
		x:      axis{log: true, tight: true, format: percentile, ticks: percentileTicks},
		curves: []curve{{xs: []float64{2, 1e9}, ys: []float64{1, 2}}},
	}
	end, f := math.Inf(-1), c.draw()
	for _, m := range f.XTicks {
		at, err := strconv.ParseFloat(m.Base, 64)
		if err != nil {
			t.Fatal(err)
		}
		half := float64(letter*len(m.Label)) / 2
		if at-half < end {
			t.Errorf("%q begins at %g, before %g", m.Label, at-half, end)
		}
		end = at + half
	}
	if end > float64(f.Width) {
		t.Errorf("the last label ends at %g, outside of %d", end, f.Width)
	}
}
