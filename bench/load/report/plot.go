package report

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A chart is a plot of lines, before it is laid out.
type chart struct {
	title, note string
	x, y        axis
	curves      []curve
	small       bool // it stands among many
}

// A curve is one line. A point with a coordinate that is no number, or that the axis
// does not draw, is a gap.
type curve struct {
	name   string
	hue    int // which colour it has
	dashed bool
	xs, ys []float64
}

// A figure is a chart as its template draws it: lengths are in units of the picture,
// and numbers are text already.
type figure struct {
	Title, Note    string
	Legend         []legendKey
	Empty          bool // there is nothing to plot
	Width, Height  int
	Left, Right    string // the plane of the lines
	Top, Bottom    string
	XLabel, YLabel string
	LabelY, TickY  string // the base lines of texts below the plane
	XTicks, YTicks []mark
	Lines          []drawn
}

type legendKey struct{ Name, Class string }

// A mark is a tick at one place, with its label at another: across for those below
// the plane, else down.
type mark struct{ At, Base, Label string }

type drawn struct {
	Class, Path string
	Dots        []dot
}

type dot struct {
	X, Y, Tip string
	Shown     bool // not only when it is pointed at
}

// The margins around the plane. The left one has room for "100 ms" and the like.
const (
	marginLeft, marginRight = 62, 16
	marginTop, marginBottom = 26, 44
	smallBottom             = 24 // without a label
)

// maxShown is how many points a line may have for them to be marked.
const maxShown = 32

// hues is how many colours the style has.
const hues = 8

// draw lays a chart out.
func (c *chart) draw() figure {
	f := figure{Title: c.title, Note: c.note, Width: 520, Height: 300, XLabel: c.x.label, YLabel: c.y.label}
	bottom := marginBottom
	if c.small {
		f.Width, f.Height = 380, 210
		bottom = smallBottom
	}
	var xs, ys []float64
	for i := range c.curves {
		line := &c.curves[i]
		f.Legend = append(f.Legend, legendKey{line.name, line.class()})
		for j := range min(len(line.xs), len(line.ys)) {
			if c.x.draws(line.xs[j]) && c.y.draws(line.ys[j]) {
				xs, ys = append(xs, line.xs[j]), append(ys, line.ys[j])
			}
		}
	}
	if len(f.Legend) < 2 || c.small {
		f.Legend = nil // the title says it, or one legend for all of them
	}
	x, okX := c.x.fit(xs)
	y, okY := c.y.fit(ys)
	if len(xs) == 0 || !okX || !okY {
		f.Empty = true
		return f
	}
	p := plane{x, y, marginLeft, marginTop, float64(f.Width - marginRight), float64(f.Height - bottom)}
	f.Left, f.Top, f.Right, f.Bottom = coordinate(p.left), coordinate(p.top), coordinate(p.right), coordinate(p.bottom)
	f.TickY, f.LabelY = coordinate(p.bottom+17), coordinate(p.bottom+37)
	f.XTicks, f.YTicks = p.marksX(), p.marksY()
	for i := range c.curves {
		f.Lines = append(f.Lines, p.line(&c.curves[i]))
	}
	return f
}

// class returns the classes that style a curve.
func (c *curve) class() string {
	class := "c" + strconv.Itoa(c.hue%hues)
	if c.dashed {
		class += " dashed"
	}
	return class
}

// A plane is where lines are drawn: two scales, and the place of its edges.
type plane struct {
	x, y                     scale
	left, top, right, bottom float64
}

func (p *plane) atX(v float64) float64 { return p.left + p.x.at(v)*(p.right-p.left) }

func (p *plane) atY(v float64) float64 { return p.bottom - p.y.at(v)*(p.bottom-p.top) }

// letter is about how wide a letter of a tick is.
const letter = 7

// marksX returns the ticks below the plane, but for those that would cover another.
// A label that would leave the picture stands beside its tick.
func (p *plane) marksX() (marks []mark) {
	free := math.Inf(-1)
	for _, t := range p.x.ticks {
		at, half := p.atX(t.value), float64(letter*utf8.RuneCountInString(t.label))/2
		base := min(at, p.right+marginRight-half)
		if base-half < free {
			continue
		}
		free = base + half + letter
		marks = append(marks, mark{At: coordinate(at), Base: coordinate(base), Label: t.label})
	}
	return marks
}

func (p *plane) marksY() (marks []mark) {
	for _, t := range p.y.ticks {
		at := p.atY(t.value)
		marks = append(marks, mark{At: coordinate(at), Base: coordinate(at + 4), Label: t.label})
	}
	return marks
}

// line returns a curve with its gaps. A point between two gaps is marked, since no
// line leads to it.
func (p *plane) line(c *curve) drawn {
	d := drawn{Class: c.class()}
	n := min(len(c.xs), len(c.ys))
	drawn := func(i int) bool { return i >= 0 && i < n && p.x.draws(c.xs[i]) && p.y.draws(c.ys[i]) }
	var path strings.Builder
	for i := range n {
		if !drawn(i) {
			continue
		}
		x, y := coordinate(p.atX(c.xs[i])), coordinate(p.atY(c.ys[i]))
		pen := "L"
		if !drawn(i - 1) {
			pen = "M"
		}
		path.WriteString(pen + x + " " + y)
		d.Dots = append(d.Dots, dot{
			X: x, Y: y,
			Tip:   c.name + ": " + p.y.format(c.ys[i]) + " at " + p.x.format(c.xs[i]),
			Shown: n <= maxShown || !drawn(i-1) && !drawn(i+1),
		})
	}
	d.Path = path.String()
	return d
}

func coordinate(v float64) string {
	return trimmed(strconv.FormatFloat(orZero(v), 'f', 1, 64))
}
