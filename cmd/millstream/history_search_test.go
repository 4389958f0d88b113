package main

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

func TestHistorySearch(t *testing.T) {
	h := filledHistory(300)
	six := sampleLine(300)
	six.Client = protocol.Addr{Family: protocol.FamilyInet6, IP: netip.MustParseAddr("2001:db8::25")}
	six.Host, six.Result.Rejected = "Six.Example.COM", []string{"Refused@Example.net"}
	h.add(six)
	for _, tt := range []struct {
		q    string
		want int
	}{
		{"", 301},
		{"qid:4TQ00007", 1},
		{"4tq00007", 1},
		{"qid:sender7", 0},
		{"from:sender17@", 1},
		{"from:list@", 0},
		{"rcpt:list@example.net", 301},
		{"rcpt:rcpt42@", 3},
		{"rcpt:refused", 1},
		{"client:192.0.2.7", 2},
		{"client:192.0.2.0/29", 16},
		{"client:192.0.2.0/99", 0},
		{"client:mx3.", 43},
		{"client:2001:db8::/32", 1},
		{"client:2001:DB8:0::25", 1},
		{"2001:db8::25", 1},
		{"six.example.com", 1},
		{"verdict:reject", 34},
		{"reject", 34},
		{"handler:clamav verdict:tempfail", 33},
		{"handler:none", 0},
		{"reply:again", 33},
		{"try again", 33},
		{"again sender4@", 1},
		{"error:refused", 33},
		{"session:5", 3},
		{"trace:0000000000000000000000000000001f", 1},
		{"foo:bar", 0},
		{"from:", 0},
		{"secret", 0},
	} {
		found, matched := h.search(&historyQuery{terms: parseTerms(tt.q), limit: 1000})
		if len(found) != tt.want || matched != tt.want {
			t.Errorf("%q: %d found, %d matched, want %d", tt.q, len(found), matched, tt.want)
		}
	}
	if names := h.handlerNames(); fmt.Sprint(names) != "[access clamav greylist]" {
		t.Errorf("the handlers are %v", names)
	}
}

func TestHistorySearchFilters(t *testing.T) {
	h := filledHistory(90)
	ids := func(q historyQuery) (ids []uint64, matched int) {
		found, matched := h.search(&q)
		for _, e := range found {
			ids = append(ids, e.id)
		}
		return ids, matched
	}
	if got, n := ids(historyQuery{limit: 3}); !slices.Equal(got, []uint64{90, 89, 88}) || n != 90 {
		t.Errorf("the newest are %v of %d", got, n)
	}
	if got, n := ids(historyQuery{limit: 3, before: 3}); !slices.Equal(got, []uint64{2, 1}) || n != 90 {
		t.Errorf("the oldest are %v of %d", got, n)
	}
	if got, _ := ids(historyQuery{limit: 5, after: 88}); !slices.Equal(got, []uint64{90, 89}) {
		t.Errorf("the new ones are %v", got)
	}
	if _, n := ids(historyQuery{limit: 5, verdicts: []string{"reject", "tempfail"}}); n != 20 {
		t.Errorf("%d were refused", n)
	}
	if _, n := ids(historyQuery{limit: 5, handler: "clamav"}); n != 90 {
		t.Errorf("%d met a handler", n)
	}
	if _, n := ids(historyQuery{limit: 5, handler: "clam"}); n != 0 {
		t.Errorf("%d met a handler with a part of the name", n)
	}
}

// TestHistoryWaits looks at what is told of a wait: not more than an eighth besides.
func TestHistoryWaits(t *testing.T) {
	for _, want := range []time.Duration{
		0, time.Microsecond, 7 * time.Microsecond, 8 * time.Microsecond, 15 * time.Microsecond, 16 * time.Microsecond, 1234 * time.Microsecond,
		time.Second, 5 * time.Minute, time.Hour,
	} {
		var c waitCounts
		c.add(want)
		got, ok := c.quantile(.99)
		if off := (got - want).Abs(); !ok || off > want/8 {
			t.Errorf("%v is told as %v", want, got)
		}
	}
	var c waitCounts
	if _, ok := c.quantile(.5); ok {
		t.Error("there is a median of nothing")
	}
	c.add(-time.Second)
	c.add(1000 * time.Hour)
	for range 98 {
		c.add(time.Millisecond)
	}
	p50, _ := c.quantile(.5)
	p99, _ := c.quantile(.99)
	if (p50-time.Millisecond).Abs() > time.Millisecond/8 || p99 < time.Hour {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
}

func TestHistoryRates(t *testing.T) {
	h := newHistory(10)
	now := time.Unix(1_700_000_000, 0)
	h.now = func() time.Time { return now }
	line := func(s protocol.Status, took time.Duration) *actors.Timeline {
		return &actors.Timeline{Result: &handlers.Result{Status: s}, Stages: []actors.Stage{
			{Took: took}, {Took: time.Hour, Silent: true},
		}}
	}
	h.sample(7)
	h.add(line(protocol.StatusReject, time.Millisecond))
	h.add(line(protocol.StatusContinue, time.Millisecond))
	if r := h.rates(5); r.sum().messages[0] != 0 {
		t.Error("the second that goes on is told")
	}
	now = now.Add(3 * time.Second)
	h.add(line(protocol.StatusContinue, time.Millisecond))
	now = now.Add(time.Second)
	r := h.rates(5)
	if s := r.seconds[1]; s.at != 1_700_000_000 || s.messages[0] != 1 || s.messages[2] != 1 || s.sessions != 8 {
		t.Errorf("the first second is %d: %v, %d sessions", s.at, s.messages, s.sessions)
	}
	all := r.sum()
	if wait, _ := all.waits.quantile(1); all.messages[0] != 2 || (wait-time.Millisecond).Abs() > time.Millisecond/8 {
		t.Errorf("the sum is %v, and the longest wait %v", all.messages, wait)
	}
	now = now.Add(historySpan*time.Second + 30*time.Second)
	if r := h.rates(1000); len(r.seconds) != historySpan || r.sum().messages != [numVerdicts]uint32{} || r.seconds[0].sessions != 0 {
		t.Error("old seconds are told as new ones")
	}
}

// TestAllocHistory sees to it that the event loop is not held up by what is kept.
func TestAllocHistory(t *testing.T) {
	h := newHistory(100)
	line := sampleLine(1)
	if n := testing.AllocsPerRun(1000, func() { h.add(line) }); n > 25 {
		t.Errorf("%v allocations for each message", n)
	}
}

func BenchmarkHistoryAdd(b *testing.B) {
	h, line := newHistory(0), sampleLine(1)
	b.ReportAllocs()
	for b.Loop() {
		h.add(line)
	}
}

func BenchmarkHistorySearch(b *testing.B) {
	h := filledHistory(historyMessages)
	q := &historyQuery{terms: parseTerms("nothing-has-this"), limit: 100}
	b.ReportAllocs()
	for b.Loop() {
		h.search(q)
	}
}
