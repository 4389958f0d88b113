package ratelimit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/handlers/when"
	"millstream/protocol"
)

// names are those of expressions in tests.
var names = &when.Names{
	Networks: map[string]when.Network{"ours": when.Prefixes(netip.MustParsePrefix("192.0.2.0/24"))},
	Location: time.UTC,
}

// open opens a store in memory.
func open(t testing.TB) store.Store {
	t.Helper()
	s, err := memory.Open(memory.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// filter returns the filter of some settings, and its log.
func filter(t testing.TB, s *ratelimit.Settings, counters store.Counters, meter metric.Meter) (handlers.Handler, *handlertest.Log) {
	t.Helper()
	log := new(handlertest.Log)
	h, err := ratelimit.New(s, names, counters, meter, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return h, log
}

// limits returns the settings of some limits. What they leave out is a limit of two in
// an hour, fixed.
func limits(list ...ratelimit.Limit) *ratelimit.Settings {
	for i := range list {
		l := &list[i]
		if l.Name == "" {
			l.Name = fmt.Sprint("limit", i)
		}
		if l.Limit == 0 {
			l.Limit = 2
		}
		if l.Window == 0 {
			l.Window, l.WindowType = time.Hour, "fixed"
		}
		if l.What == "" {
			l.What = "messages"
		}
	}
	s := ratelimit.Defaults()
	s.Limits = list
	return s
}

// meter sums what is added to counters, by their name and labels.
type meter struct {
	noop.Meter
	mu   sync.Mutex
	sums map[string]int64
}

// Int64Counter implements metric.Meter.
func (m *meter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return counter{meter: m, name: name}, nil
}

type counter struct {
	noop.Int64Counter
	meter *meter
	name  string
}

// Add implements metric.Int64Counter.
func (c counter) Add(_ context.Context, n int64, options ...metric.AddOption) {
	c.meter.mu.Lock()
	defer c.meter.mu.Unlock()
	if c.meter.sums == nil {
		c.meter.sums = make(map[string]int64)
	}
	text := c.name
	labels := metric.NewAddConfig(options).Attributes()
	for _, kv := range labels.ToSlice() {
		text += fmt.Sprintf(" %s=%s", kv.Key, kv.Value.AsString())
	}
	c.meter.sums[text] += n
}

// play does what a script says, a step at a time, and returns what each came to, in
// short: its status, the code of a text, changes. Steps are separated by ";":
//
//	connect 192.0.2.1, user alice, mail <a@b>, rcpt <c@d>, header Subject x, body 100, eom, abort
func play(t testing.TB, s *handlertest.Session, script string) []string {
	t.Helper()
	var answers []string
	for step := range strings.SplitSeq(script, ";") {
		words := append(strings.Fields(step), "", "", "")
		view := protocol.View(words[1])
		var ev handlers.Event
		switch words[0] {
		case "connect":
			c := &protocol.Connect{Host: protocol.View("host.example"), Addr: protocol.Addr{Family: protocol.FamilyUnknown}}
			if ip, err := netip.ParseAddr(words[1]); err == nil {
				c.Addr = protocol.Addr{Family: protocol.FamilyInet, IP: ip}
				if ip.Is6() {
					c.Addr.Family = protocol.FamilyInet6
				}
			}
			ev = c
		case "user":
			s.Macros(protocol.CodeMailFrom, "auth_authen", words[1])
			continue
		case "mail":
			ev = &protocol.MailFrom{Addr: view}
		case "rcpt":
			ev = &protocol.RcptTo{Addr: view}
		case "header":
			ev = &protocol.Header{Name: view, Value: protocol.View(words[2])}
		case "body":
			var n int
			if _, err := fmt.Sscan(words[1], &n); err != nil {
				t.Fatal(err)
			}
			ev = &protocol.Body{Chunk: bytes.Repeat([]byte("x"), n)}
		case "eom":
			ev = &protocol.EndOfMessage{}
		case "abort":
			s.Abort()
			continue
		default:
			t.Fatalf("no step %q", step)
		}
		out := s.Do(ev)
		answer := out.Status.String()
		if out.Text != "" {
			answer = out.Text[:3]
		}
		for _, c := range out.Changes {
			answer += " " + c.Code.String()
		}
		answers = append(answers, answer)
	}
	return answers
}

// check plays a script, whose answers are written in one line.
func check(t testing.TB, s *handlertest.Session, script, want string) {
	t.Helper()
	if got := play(t, s, script); !slices.Equal(got, strings.Fields(want)) && strings.Join(got, ", ") != want {
		t.Errorf("%s:\ngot  %s\nwant %s", script, strings.Join(got, ", "), want)
	}
}
