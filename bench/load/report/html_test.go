package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"millstream/bench/load"
)

// An element is one of a page, with the text that stands right in it.
type element struct {
	name, text string
	attr       map[string]string
}

// parse reads a page, which is XML too, so that what is not closed shows.
func parse(t *testing.T, page string) (all []element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	var open []int
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%.3000s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			open = append(open, len(all))
			all = append(all, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				all[open[len(open)-1]].text += string(token)
			}
		}
	}
}

// mayHave are all elements that a page has, so that one of somebody else shows.
var mayHave = strings.Fields(`html head meta title style body header main section h1 h2 h3 p span b a ul li
		dl div dt dd figure figcaption svg g path text circle table thead tbody tr th td details summary`)

// checkPage parses a page and looks for what may be in none.
func checkPage(t *testing.T, page string) []element {
	t.Helper()
	all := parse(t, page)
	geometry := regexp.MustCompile(`^[MLd 0-9.-]*$`)
	for _, e := range all {
		if !slices.Contains(mayHave, e.name) {
			t.Errorf("there is a <%s>", e.name)
		}
		for name, value := range e.attr {
			switch {
			case strings.HasPrefix(name, "on"), name == "src", name == "style", name == "href" && value != "#warnings":
				t.Errorf("<%s> has %s=%q", e.name, name, value)
			case name == "d" && !geometry.MatchString(value):
				t.Errorf("a path is %q", value)
			case name == "cx" || name == "cy" || name == "x" || name == "y":
				if v, err := strconv.ParseFloat(value, 64); err != nil || v < -100 || v > 1000 {
					t.Errorf("<%s> has %s=%q", e.name, name, value)
				}
			}
		}
		if found := notNumber.FindString(e.text); found != "" && !strings.Contains(hostile, found) && e.name != "style" {
			t.Errorf("<%s> has the text %q", e.name, e.text)
		}
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the template has a value where none is safe")
	}
	return all
}

func render(t *testing.T, runs ...*load.Result) ([]element, string) {
	t.Helper()
	got := written(t, func(w io.Writer) error { return HTML(w, runs...) })
	return checkPage(t, got), got
}

// texts returns the texts of the elements with a name.
func texts(all []element, name string) (found []string) {
	for _, e := range all {
		if e.name == name {
			found = append(found, strings.TrimSpace(e.text))
		}
	}
	return found
}

func has(t *testing.T, all []element, name string, want ...string) {
	t.Helper()
	got := "\n" + strings.Join(texts(all, name), "\n") + "\n"
	for _, text := range want {
		if !strings.Contains(got, "\n"+text+"\n") {
			t.Errorf("no <%s> has the text %q; there are %.500s", name, text, got)
		}
	}
}

func TestHTML(t *testing.T) {
	r := sample(t, 60, 1)
	all, _ := render(t, r)
	has(t, all, "h1", "Load test")
	has(t, all, "b", number(r.Rate(r.Counts.Messages)), nanos(quantile("message", 99)(r)), "9")
	has(t, all, "figcaption", "Latency of messages by percentile", "Messages a second", "Latency of messages over time",
		"Messages in flight and waiting", "Errors a second", "CPUs that the server kept busy", "end-of-message", "session")
	has(t, all, "text", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "messages/s", "50 s")
	has(t, all, "td", "generated, 4 kB to 64 kB", "8 × Some CPU 9000, linux/amd64, go1.26", r.Agreed.Actions.String())
	has(t, all, "dt", "timeout: 7", "lost: 2")
	has(t, all, "dd", "at 1.50 s: no answer to end-of-message in 30s")
	has(t, all, "li", r.Warnings[0])
	has(t, all, "a", "1 warning")
	if lines := classes(all, "g"); lines["c0"] != 6+10 || lines["c1"] != 2 {
		t.Errorf("the lines are %v; p50 and waiting have a colour of their own", lines)
	}
	for _, l := range r.Latencies {
		has(t, all, "th", l.Name)
		has(t, all, "td", latencyValues(&l)...)
	}
}

func classes(all []element, name string) map[string]int {
	found := map[string]int{}
	for _, e := range all {
		if e.name == name {
			found[e.attr["class"]]++
		}
	}
	return found
}

func TestHTMLCompare(t *testing.T) {
	a, b := named(sample(t, 30, 1), "before"), named(sample(t, 40, 2), "after")
	a.Counts.Messages, b.Counts.Messages = 30_000, 20_000
	b.Latencies = b.Latencies[:5]
	all, _ := render(t, a, b)
	has(t, all, "h1", "Load test: before and after")
	has(t, all, "h2", "Side by side")
	has(t, all, "th", "messages/s", "ratio", "before", "after")
	has(t, all, "td", "1,000", "500", "0.50×")
	has(t, all, "li", "before", "after", "before, p99", "after, p50")
	if cells := classes(all, "td"); cells["worse"] < 5 {
		t.Errorf("latencies have doubled and the cells are %v", cells)
	}
	lines := classes(all, "g")
	if lines["c0"] != 6+10 || lines["c1"] != 6+4 || lines["c0 dashed"] != 2 || lines["c1 dashed"] != 2 {
		t.Errorf("the lines are %v", lines)
	}
	if rows := classes(all, "tr"); rows["differ"] == 0 {
		t.Errorf("nothing differs: %v", rows)
	}
}

func TestHTMLOfOddities(t *testing.T) {
	for name, r := range oddities(t) {
		t.Run(name, func(t *testing.T) {
			render(t, r)
			render(t, r, sample(t, 2, 1))
			render(t, sample(t, 2, 1), r, r)
		})
	}
}

func TestHTMLEscapes(t *testing.T) {
	all, got := render(t, oddities(t)["hostile"])
	if strings.Contains(got, "<script") || strings.Contains(got, "<img") {
		t.Error("text of others became elements")
	}
	has(t, all, "title", "Load test: "+clean(hostile))
	has(t, all, "h1", "Load test: "+clean(hostile))
	has(t, all, "td", clean(hostile))
	has(t, all, "figcaption", clean(hostile))
}

func TestHTMLIsSelfContained(t *testing.T) {
	all, got := render(t, sample(t, 2, 1))
	if strings.Contains(got, "http://") || strings.Contains(got, "https://") || strings.Contains(got, "url(") {
		t.Error("the page names something elsewhere")
	}
	for _, e := range all {
		if e.attr["http-equiv"] != "Content-Security-Policy" {
			continue
		}
		want := "style-src 'sha256-" + styleHash(texts(all, "style")[0]) + "'"
		if style := between(got, "<style>", "</style>"); !strings.Contains(e.attr["content"], "sha256-"+styleHash(style)+"'") {
			t.Errorf("the policy %q does not allow the style: want %q", e.attr["content"], want)
		}
		return
	}
	t.Error("the page has no policy")
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestHTMLOfLongRunIsSmall(t *testing.T) {
	_, got := render(t, sample(t, 24*3600, 1))
	if len(got) > 400_000 {
		t.Errorf("a day is %d bytes", len(got))
	}
	if !strings.Contains(got, "up to 576 intervals in a point") {
		t.Error("it does not say that intervals were put together")
	}
}

func TestMerge(t *testing.T) {
	series := make([]load.Interval, 2*maxPoints-1)
	for i := range series {
		series[i] = load.Interval{At: 1e9 * 1, Length: 1e9, Messages: 10, Errors: 1, InFlight: int64(i), P50: 100, P99: 1000, Server: 2}
	}
	series[1].P50, series[1].P99, series[1].Messages, series[1].Server = 400, 5000, 20, 4
	merged, together := merge(series)
	if together != 2 || len(merged) != maxPoints {
		t.Fatalf("%d points of %d intervals", len(merged), together)
	}
	want := load.Interval{At: 1e9, Length: 2e9, Messages: 30, Errors: 2, InFlight: 1, P50: 300, P99: 5000, Server: 3}
	if merged[0] != want {
		t.Errorf("got  %+v\nwant %+v", merged[0], want)
	}
	if last := merged[maxPoints-1]; last != series[len(series)-1] {
		t.Errorf("the last is %+v", last)
	}
}

func TestHTMLGrowth(t *testing.T) {
	plot := Growth{
		Title: "CPU per message", XLabel: "sessions", YLabel: "µs", LogX: true,
		X: []float64{1, 10, 100, 1000, 10000},
		Lines: []Line{
			{"server", []float64{30, 31, 35, math.NaN(), 80}},
			{hostile, []float64{1, 2, 3, math.Inf(1), -5}},
		},
	}
	got := written(t, func(w io.Writer) error { return HTMLGrowth(w, hostile, plot, Growth{Title: hostile}) })
	all := checkPage(t, got)
	has(t, all, "h1", clean(hostile))
	has(t, all, "figcaption", "CPU per message", clean(hostile))
	has(t, all, "text", "sessions", "µs", "1", "10", "100", "1000", "10k")
	has(t, all, "li", "server", clean(hostile))
	has(t, all, "td", "10,000", "80.0", none)
	has(t, all, "title", "server: 35 at 100")
	has(t, all, "p", "There is nothing to plot.")
}

func TestHTMLGrowthRefuses(t *testing.T) {
	err := HTMLGrowth(io.Discard, "", Growth{Title: "T", X: []float64{1, 2}, Lines: []Line{{"a", []float64{1}}}})
	if err == nil || !strings.Contains(err.Error(), `"a" of the plot "T" has 1 values`) {
		t.Error(err)
	}
}
