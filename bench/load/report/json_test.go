package report

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"millstream/bench/load"
)

func jsonOf(t *testing.T, r *load.Result) string {
	t.Helper()
	return written(t, func(w io.Writer) error { return JSON(w, r) })
}

// equalRuns compares all of two runs; their histograms by what is in them.
func equalRuns(t *testing.T, got, want *load.Result) {
	t.Helper()
	if len(got.Latencies) != len(want.Latencies) {
		t.Fatalf("%d latencies, want %d", len(got.Latencies), len(want.Latencies))
	}
	for i, l := range want.Latencies {
		if g := got.Latencies[i]; g.Name != l.Name || !g.Hist.Equals(l.Hist) {
			t.Errorf("the histogram of %q came back as another one, of %q", l.Name, g.Name)
		}
	}
	a, b := *got, *want
	a.Latencies, b.Latencies = nil, nil
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %+v\nwant %+v", a, b)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := sample(t, 20, 1)
	want.Series[3].P99 = 123_456_789 * time.Nanosecond
	want.Series[3].At = 4*time.Second + 1
	want.Elapsed = 20*time.Second + 123_456_789
	got, err := ReadJSON(strings.NewReader(jsonOf(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	equalRuns(t, got, want)
	for name, write := range map[string]func(io.Writer, *load.Result) error{
		"text": Text, "JSON": JSON, "HDR": HDR,
		"HTML": func(w io.Writer, r *load.Result) error { return HTML(w, r) },
	} {
		a := written(t, func(w io.Writer) error { return write(w, want) })
		b := written(t, func(w io.Writer) error { return write(w, got) })
		if a != b {
			t.Errorf("the %s of a run that was read is another one", name)
		}
	}
}

func TestJSONOfOddities(t *testing.T) {
	for name, r := range oddities(t) {
		first := jsonOf(t, r)
		got, err := ReadJSON(strings.NewReader(first))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := jsonOf(t, got); again != first {
			t.Errorf("%s: written again it is\n%s\nand was\n%s", name, again, first)
		}
	}
}

func TestJSONFields(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal([]byte(jsonOf(t, sample(t, 10, 1))), &got); err != nil {
		t.Fatal(err)
	}
	if got["format"] != "millstream-bench/1" || got["elapsed_seconds"] != 10.0 {
		t.Errorf("format %v, elapsed %v", got["format"], got["elapsed_seconds"])
	}
	message := got["latencies"].([]any)[0].(map[string]any)
	if message["name"] != "message" || message["count"] != 12000.0 || message["p99_us"].(float64) < message["p50_us"].(float64) {
		t.Errorf("the first latency is %v", message)
	}
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for name, e := range v {
				if !snake.MatchString(name) {
					t.Errorf("the field %q is not in snake case", name)
				}
				walk(e)
			}
		}
	}
	walk(got)
}

func TestJSONOfNothingHasNoNull(t *testing.T) {
	if got := jsonOf(t, &load.Result{}); strings.Contains(got, "null") {
		t.Errorf("a program that reads lists and maps finds null in\n%s", got)
	}
}

func TestReadJSONRefuses(t *testing.T) {
	whole := jsonOf(t, sample(t, 1, 1))
	tests := []struct{ name, in, want string }{
		{"nothing", "", "not a report"},
		{"text", "messages 3/s", "not a report"},
		{"list", "[]", "not a report"},
		{"JSON of others", `{"format":"x"}`, `has "format": "millstream-bench/1"`},
		{"no format", `{}`, "not a report"},
		{"another version", `{"format":"millstream-bench/2"}`, `version "2" of its format and this program reads "1"; read it with`},
		{"cut short", whole[:len(whole)/2], "cut short"},
		{"wrong type", strings.Replace(whole, `"elapsed_seconds": 1,`, `"elapsed_seconds": "1",`, 1), "damaged"},
		{"no histogram", strings.Replace(whole, `"histogram": "HIST`, `"histogram": "`, 1), `the histogram of "message"`},
		{"empty histogram", `{"format":"millstream-bench/1","latencies":[{"name":"x"}]}`, `the histogram of "x"`},
		{"hostile histogram", `{"format":"millstream-bench/1","latencies":[{"name":"x","histogram":"HISTFAAAAAD/////"}]}`, `the histogram of "x"`},
	}
	for _, tt := range tests {
		r, err := ReadJSON(strings.NewReader(tt.in))
		if err == nil || r != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestReadJSONTakesMore(t *testing.T) {
	r, err := ReadJSON(strings.NewReader(`{"format":"millstream-bench/1","new_in_a_later_program":{},"elapsed_seconds":1e300,"series":[{"at_seconds":-1e300}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if r.Elapsed != math.MaxInt64 || r.Series[0].At != math.MinInt64 {
		t.Errorf("elapsed %d, at %d", r.Elapsed, r.Series[0].At)
	}
}

func FuzzReadJSON(f *testing.F) {
	var b bytes.Buffer
	if err := JSON(&b, sample(f, 1, 1)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"millstream-bench/1","series":[{}]}`))
	f.Add([]byte(`{"format":"millstream-bench/1","elapsed_seconds":-1,"counts":{"messages":-9223372036854775808},"server":{"cpu_seconds":1e300},"series":[{"at_seconds":1e300,"length_seconds":1e-9,"messages":9223372036854775807,"server_cpus":1e308},{"at_seconds":-1e300,"server_cpus":-1e308}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		checkPage(t, written(t, func(w io.Writer) error { return HTML(w, r, r) }))
		text(t, r)
	})
}
