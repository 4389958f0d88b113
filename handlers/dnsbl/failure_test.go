package dnsbl

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/policy"
	"millstream/handlers/resolver/dnstest"
	"millstream/protocol"
)

// TestLies asks lists whose answers are none: alone the handler fails, beside a good one
// that counts.
func TestLies(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	tests := []struct {
		zone Zone
		want string // part of the error; "" if it is a listing
	}{
		{Zone{Zone: "refuses.test"}, "answers 127.255.255.254, so it does not serve this resolver"},
		{Zone{Zone: "refuses.test", Answers: []Answer{{Match: "127.255.255.*"}}}, "127.255.255.254"},
		{Zone{Zone: "blocks.test"}, "answers 127.0.0.1, so it does not serve"},
		{Zone{Zone: "blocks.test", Answers: []Answer{{Match: "127.0.0.1-9"}}}, "answers 127.0.0.1, so it does not serve"},
		{Zone{Zone: "blocks.test", Answers: []Answer{{Match: "127.0.0.1"}}}, "lists 1.0.0.127, and so everything"},
		{Zone{Zone: "parked.test"}, "answers 203.0.113.80, as no list does"},
		{Zone{Zone: "everyone.test"}, "lists 1.0.0.127, and so everything"},
		{Zone{Zone: "everyone.test", Lookup: []string{"sender"}}, "lists invalid, and so everything"},
		{Zone{Zone: "ip.test"}, ""},
	}
	for _, tt := range tests {
		log := new(handlertest.Log)
		s := handlertest.New(t, newFilter(t, settings([]Zone{tt.zone}, showScore), r, logger(log)))
		begin(s, badClient, "mx.example")
		out := s.Do(mailFrom("<a@b.example>"))
		failures := fmt.Sprint(s.Failures())
		if (out.Status == protocol.StatusTempFail) != (tt.want != "") || !strings.Contains(failures, tt.want) ||
			strings.Contains(log.Take(), "a list fails") != (tt.want != "") {
			t.Errorf("%+v: %v, %s", tt.zone, out.Status, failures)
		}
		if tt.want == "" {
			continue
		}
		tt.zone.Name = "liar"
		s = handlertest.New(t, newFilter(t, settings([]Zone{tt.zone, {Zone: "ip.test"}}, Action{Score: 1, Do: doReject}), r, logger(log)))
		begin(s, badClient, "mx.example")
		if out := s.Do(mailFrom("<a@b.example>")); out.Status != protocol.StatusReject || !strings.HasSuffix(out.Text, "is listed by ip.test") {
			t.Errorf("%+v beside a good one: %v %q", tt.zone, out.Status, out.Text)
		}
	}
}

// TestServerFails has the server of all lists hang, go on, and be killed. The log tells
// when that begins.
func TestServerFails(t *testing.T) {
	n, log := startNSD(t), new(handlertest.Log)
	set := settings([]Zone{{Zone: "ip.test"}}, Action{Score: 1, Do: doReject})
	h := newFilter(t, set, newResolver(t, n.Addr), logger(log))
	set.Deadline = 50 * time.Millisecond
	impatient := newFilter(t, set, newResolver(t, n.Addr), logger(log))
	s, hasty := handlertest.New(t, h), handlertest.New(t, impatient)
	ask := func(what string, s *handlertest.Session, status protocol.Status, told, failure string) {
		t.Helper()
		before := len(s.Failures())
		out := s.Do(mailFrom("<a@b.example>"))
		if line := log.Take(); out.Status != status || !strings.Contains(line, told) || (told == "") != (line == "") {
			t.Errorf("%s: %v, log %q", what, out.Status, line)
		}
		if got := fmt.Sprint(s.Failures()[before:]); !strings.Contains(got, failure) {
			t.Errorf("%s: %s, want %s", what, got, failure)
		}
	}
	begin(s, badClient, "mx.example")
	begin(hasty, badClient, "mx.example")
	if err := n.Hang(); err != nil {
		t.Fatal(err)
	}
	ask("hangs", hasty, protocol.StatusTempFail, "a list fails", "no answer in time")
	ask("hangs on", hasty, protocol.StatusTempFail, "", "no answer in time")
	if err := n.Resume(); err != nil {
		t.Fatal(err)
	}
	ask("goes on", s, protocol.StatusReject, "", "")
	n.Stop()
	s = handlertest.New(t, h)
	begin(s, goodClient, "mx.example")
	ask("is dead", s, protocol.StatusTempFail, "a list fails", "refused")
	ask("is still dead", s, protocol.StatusTempFail, "", "refused")
}

// TestAsksAgain asks about a client again for its next message if a list has failed, and
// then not.
func TestAsksAgain(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	for _, second := range []string{"refuses.test", "good.test"} {
		s := handlertest.New(t, newFilter(t, settings([]Zone{{Zone: "ip.test"}, {Zone: second}}, showScore), r, nil))
		begin(s, goodClient, "mx.example")
		for i, want := range []int{2, map[string]int{"refuses.test": 2}[second]} {
			s.Do(mailFrom("<a@b.example>"))
			if names := r.take(); len(names) != want {
				t.Errorf("%s: message %d asks for %q", second, i, names)
			}
		}
	}
}

// TestAnswersAgain logs that a list answers again.
func TestAnswersAgain(t *testing.T) {
	log := new(handlertest.Log)
	f := &filter{log: logger(log)}
	l := &list{name: "one"}
	for i, err := range []error{nil, context.DeadlineExceeded, context.DeadlineExceeded, nil, nil} {
		f.note(t.Context(), l, err)
		want := map[int]string{1: "level=WARN msg=\"a list fails\" list=one", 3: "level=INFO msg=\"a list answers again\" list=one"}[i]
		if line := log.Take(); !strings.Contains(line, want) || (line == "") != (want == "") {
			t.Errorf("%d: %q", i, line)
		}
	}
}

// TestGarbage asks a server that says nothing of use.
func TestGarbage(t *testing.T) {
	s := dnstest.Serve(t, func(q []byte) [][]byte {
		return [][]byte{[]byte("\x00"), append(q[:2:2], 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0, 0xff)}
	})
	h := newFilter(t, settings([]Zone{{Zone: "ip.test"}}, Action{Score: 1, Do: doReject}), newResolver(t, s.Addr), nil)
	session := handlertest.New(t, h)
	begin(session, badClient, "mx.example")
	if out := session.Do(mailFrom("<a@b.example>")); out.Status != protocol.StatusTempFail || !strings.Contains(fmt.Sprint(session.Failures()), "cannot be read") {
		t.Errorf("%v, %v", out.Status, session.Failures())
	}
}

// TestMarksWhatFails has no list answer about the hosts of a text, which is let pass: what
// was found before is still told.
func TestMarksWhatFails(t *testing.T) {
	zones := []Zone{{Zone: "ip.test"}, {Zone: "parked.test", Lookup: []string{"uri"}}}
	h := newFilter(t, settings(zones, showScore, Action{Score: 1, Do: doQuarantine}), newResolver(t, startNSD(t).Addr), nil)
	s := handlertest.New(t, policy.Policy{Name: "lists", OnError: policy.Continue}.Apply(h))
	begin(s, badClient, "mx.example")
	out := s.Send(handlertest.Mail{From: "<a@b.example>", To: []string{"<b@c.example>"}, Body: "http://x.example"})
	if out.Status != protocol.StatusContinue || len(out.Changes) != 2 || len(s.Failures()) != 1 {
		t.Errorf("%v, %v, %v", out.Status, out.Changes, s.Failures())
	}
}

// TestSecondMessage has a list answer about a client, and another one not about senders:
// each message of the connection is treated as the first.
func TestSecondMessage(t *testing.T) {
	zones := []Zone{{Zone: "ip.test"}, {Zone: "parked.test", Lookup: []string{"sender"}}}
	r := newResolver(t, startNSD(t).Addr)
	for _, stage := range []string{stageMail, stageConnect} {
		set := settings(zones, showScore)
		set.Stage = stage
		s := handlertest.New(t, newFilter(t, set, r, nil))
		begin(s, badClient, "mx.example")
		for i := range 2 {
			out := s.Send(handlertest.Mail{From: "<a@b.example>", To: []string{"<b@c.example>"}})
			if out.Status != protocol.StatusContinue || len(out.Changes) != 1 || len(s.Failures()) > 0 {
				t.Errorf("%s: message %d: %v, %v, %v", stage, i, out.Status, out.Changes, s.Failures())
			}
		}
	}
}

// TestFailsAtTheEnd has no list answer about the hosts of a text: the handler has failed,
// whatever was found before, and the message stays as it is.
func TestFailsAtTheEnd(t *testing.T) {
	zones := []Zone{{Zone: "ip.test"}, {Zone: "parked.test", Lookup: []string{"uri"}}}
	r := newResolver(t, startNSD(t).Addr)
	for _, client := range []string{badClient, goodClient} {
		s := handlertest.New(t, newFilter(t, settings(zones, showScore), r, nil))
		begin(s, client, "mx.example")
		out := s.Send(handlertest.Mail{From: "<a@b.example>", To: []string{"<b@c.example>"}, Body: "no hosts"})
		if out.Status != protocol.StatusContinue || len(out.Changes) > 0 == (client == goodClient) || len(s.Failures()) > 0 {
			t.Errorf("without hosts: %v, %v", out.Status, s.Failures())
		}
		out = s.Send(handlertest.Mail{From: "<a@b.example>", To: []string{"<b@c.example>"}, Body: "http://x.example"})
		if out.Status != protocol.StatusTempFail || len(out.Changes) > 0 || len(s.Failures()) != 1 {
			t.Errorf("with a host: %v, %v, %v", out.Status, out.Changes, s.Failures())
		}
	}
}

// counts is a meter that counts by attributes.
type counts struct {
	noop.Meter
	list map[string]int64
}

type countsProvider struct {
	noop.MeterProvider
	c *counts
}

func (p countsProvider) Meter(string, ...metric.MeterOption) metric.Meter { return p.c }

type counting struct {
	noop.Int64Counter
	c    *counts
	name string
}

func (c *counts) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return counting{c: c, name: name}, nil
}

func (c counting) Add(_ context.Context, n int64, options ...metric.AddOption) {
	set := metric.NewAddConfig(options).Attributes()
	c.c.list[c.name+" "+set.Encoded(attribute.DefaultEncoder())] += n
}

// TestMetrics counts answers by list and result.
func TestMetrics(t *testing.T) {
	c := &counts{list: map[string]int64{}}
	zones := []Zone{{Zone: "ip.test"}, {Zone: "refuses.test", Name: "no"}, {Zone: "good.test", Weight: -1, Answers: []Answer{{Match: "127.0.0.1"}}}}
	h, err := New(settings(zones, Action{Score: 9, Do: doReject}), newResolver(t, startNSD(t).Addr), nil, countsProvider{c: c})
	if err != nil {
		t.Fatal(err)
	}
	s := handlertest.New(t, h)
	begin(s, badClient, "mx.example")
	s.Do(mailFrom("<a@b.example>"))
	for _, name := range []string{
		"dnsbl.answers dnsbl.result=listed,dnsbl.zone=ip.test", "dnsbl.answers dnsbl.result=failed,dnsbl.zone=no",
		"dnsbl.answers dnsbl.result=clean,dnsbl.zone=good.test",
	} {
		if c.list[name] != 1 {
			t.Errorf("%s: %d of %v", name, c.list[name], c.list)
		}
	}
}

// TestNew needs a resolver and settings without mistakes.
func TestNew(t *testing.T) {
	good := settings([]Zone{{Zone: "ip.test"}}, showScore)
	for _, tt := range []struct {
		s    *Settings
		r    Resolver
		want string
	}{
		{good, nil, handlers.ErrNull.Error()},
		{settings(nil, showScore), new(counter), "zones: there is no list"},
	} {
		if h, err := New(tt.s, tt.r, nil, nil); h != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, %v; want %s", h, err, tt.want)
		}
	}
}
