package traceparent

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

const (
	parent  = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	parent2 = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01"
	inside  = "192.0.2.7"
	outside = "198.51.100.7"
)

var network = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("192.0.2.0/24")}

// span is that of a message, and what its handlers are visited with: the server has
// another way to show them the span.
type span struct {
	noop.Span
	context trace.SpanContext
	links   []trace.SpanContext
}

func (s *span) SpanContext() trace.SpanContext { return s.context }
func (s *span) AddLink(l trace.Link)           { s.links = append(s.links, l.SpanContext) }

func (s *span) Enter(string, handlers.Kind) (handlers.Visit, bool) { return s, true }
func (s *span) Await(string, handlers.Kind) handlers.Visit         { return nil }
func (s *span) Leave(handlers.Reply)                               {}
func (s *span) Context(ctx context.Context) context.Context        { return trace.ContextWithSpan(ctx, s) }

// newSpan returns a span, with a trace state.
func newSpan(t *testing.T, flags trace.TraceFlags, state string) *span {
	t.Helper()
	list, err := trace.ParseTraceState(state)
	if err != nil {
		t.Fatal(err)
	}
	return &span{context: trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags, TraceState: list,
	})}
}

// open begins a session of a client, in which messages have a span.
func open(t *testing.T, c Config, s *span, client string) *handlertest.Session {
	t.Helper()
	o := handlertest.New(t, handlers.Named("test", New(c)))
	o.Control().Watch(s)
	addr := protocol.Addr{Family: protocol.FamilyUnknown}
	if client != "" {
		addr = protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr(client), Port: 25}
		if addr.IP.Is6() {
			addr.Family = protocol.FamilyInet6
		}
	}
	o.Do(&protocol.Connect{Host: protocol.View("client.example"), Addr: addr})
	return o
}

// letter is a mail with header fields, names and values in turn.
func letter(pairs ...string) handlertest.Mail {
	m := handlertest.Mail{From: "<a@example.com>", To: []string{"<b@example.net>"}, Headers: []handlers.Field{{Name: "Subject", Value: "x"}}}
	for pair := range slices.Chunk(pairs, 2) {
		m.Headers = append(m.Headers, handlers.Field{Name: pair[0], Value: pair[1]})
	}
	return m
}

func TestTrust(t *testing.T) {
	future := strings.Replace(parent, "00", "cc", 1) + "-more"
	for _, tt := range []struct {
		name, client string
		headers      []string
		want         string // sampled or not, span and state
	}{
		{"plain", inside, []string{"Traceparent", parent}, "01 00f067aa0ba902b7 "},
		{"other letters, white space", inside, []string{"TRACEPARENT", " \r\n\t" + parent + " "}, "01 00f067aa0ba902b7 "},
		{"not sampled", inside, []string{"Traceparent", strings.TrimSuffix(parent, "1") + "0"}, "00 00f067aa0ba902b7 "},
		{"a later version", inside, []string{"Traceparent", future}, "01 00f067aa0ba902b7 "},
		{"another network", "2001:db8::1", []string{"Traceparent", parent}, "01 00f067aa0ba902b7 "},
		{"IPv4 in IPv6", "::ffff:192.0.2.9", []string{"Traceparent", parent}, "01 00f067aa0ba902b7 "},
		{"state", inside, []string{"Tracestate", "a=1,\r\n b=2", "Traceparent", parent, "Tracestate", "c=3"}, "01 00f067aa0ba902b7 a=1,b=2,c=3"},
		{"malformed state", inside, []string{"Traceparent", parent, "Tracestate", "=,"}, "01 00f067aa0ba902b7 "},
		{"state too long", inside, []string{"Traceparent", parent, "Tracestate", "a=1", "Tracestate", "b=" + strings.Repeat("x", maxState)}, "01 00f067aa0ba902b7 a=1"},
		{"outside", outside, []string{"Traceparent", parent}, ""},
		{"no address", "", []string{"Traceparent", parent}, ""},
		{"none", inside, nil, ""},
		{"state alone", inside, []string{"Tracestate", "a=1"}, ""},
		{"several", inside, []string{"Traceparent", parent, "Traceparent", parent2}, ""},
		{"the same twice", inside, []string{"Traceparent", parent, "Traceparent", parent}, ""},
		{"malformed", inside, []string{"Traceparent", parent[1:]}, ""},
		{"upper case", inside, []string{"Traceparent", strings.ToUpper(parent)}, ""},
		{"version ff", inside, []string{"Traceparent", "ff" + parent[2:]}, ""},
		{"zeroes", inside, []string{"Traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}, ""},
		{"folded within", inside, []string{"Traceparent", parent[:20] + "\n " + parent[20:]}, ""},
		{"too long", inside, []string{"Traceparent", future + strings.Repeat("x", maxParent)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSpan(t, trace.FlagsSampled, "")
			out := open(t, Config{Trust: network}, s, tt.client).Send(letter(tt.headers...))
			got := ""
			for _, l := range s.links {
				got += fmt.Sprintf("%v %v %v", l.TraceFlags(), l.SpanID(), l.TraceState())
				if !l.IsRemote() || l.TraceID().String() != parent[3:35] {
					t.Errorf("linked to %v", l)
				}
			}
			if got != tt.want {
				t.Errorf("linked to %q, want %q", got, tt.want)
			}
			if len(out.Changes) > 0 {
				t.Errorf("changes %v", out.Changes)
			}
		})
	}
}

// What one message has is not that of the next one.
func TestTrustNext(t *testing.T) {
	s := newSpan(t, trace.FlagsSampled, "")
	o := open(t, Config{Trust: network}, s, inside)
	for _, tt := range []struct {
		mail  handlertest.Mail
		links int
	}{{letter("Traceparent", parent), 1}, {letter(), 1}, {letter("Traceparent", parent2), 2}} {
		o.Send(tt.mail)
		if len(s.links) != tt.links {
			t.Errorf("%d links, want %d", len(s.links), tt.links)
		}
	}
}

func TestInsert(t *testing.T) {
	ours := `add-header "Traceparent": "00-01000000000000000000000000000000-0200000000000000-01"`
	for _, tt := range []struct {
		name, state string
		flags       trace.TraceFlags
		headers     []string
		want        string
	}{
		{"none there", "", trace.FlagsSampled, nil, ours},
		{"with a state", "a=1", trace.FlagsSampled, nil, ours + `, add-header "Tracestate": "a=1"`},
		{
			"some there", "", trace.FlagsSampled,
			[]string{"traceparent", parent, "Tracestate", "a=1", "Traceparent", "?"},
			`change-header 2 "Traceparent": "", change-header 1 "Traceparent": "", change-header 1 "Tracestate": "", ` + ours,
		},
		{"not traced", "", 0, []string{"Traceparent", parent}, ""},
		{"too many there", "", trace.FlagsSampled, slices.Repeat([]string{"Traceparent", parent}, maxFields+1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := open(t, Config{Insert: true}, newSpan(t, tt.flags, tt.state), outside)
			if got := changes(o.Send(letter(tt.headers...))); got != tt.want {
				t.Errorf("changes\n got %s\nwant %s", got, tt.want)
			}
			if errs := o.Failures(); len(errs) > 0 {
				t.Errorf("failures %v", errs)
			}
		})
	}
}

// changes writes the changes to a message.
func changes(o handlertest.Outcome) string {
	var list []string
	for _, c := range o.Changes {
		text := c.Code.String()
		if c.Code == protocol.CodeChangeHeader {
			text += fmt.Sprint(" ", c.Index)
		}
		list = append(list, fmt.Sprintf("%s %q: %q", text, c.Name, c.Value))
	}
	return strings.Join(list, ", ")
}

// An MTA that does not allow the changes gets none. That is said once.
func TestInsertRefused(t *testing.T) {
	var log bytes.Buffer
	c := Config{Insert: true, Log: slog.New(slog.NewTextHandler(&log, nil))}
	o := open(t, c, newSpan(t, trace.FlagsSampled, ""), inside)
	o.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddHeaders })
	for range 2 {
		if out := o.Send(letter("Traceparent", parent)); out.Status != protocol.StatusContinue || len(out.Changes) > 0 {
			t.Errorf("%v, changes %v", out.Status, out.Changes)
		}
	}
	if errs := o.Failures(); len(errs) > 0 {
		t.Errorf("failures %v", errs)
	}
	if out := o.Send(letter()); len(out.Changes) != 1 {
		t.Errorf("changes %v", out.Changes)
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "missing="+protocol.ActionChangeHeaders.String()) {
		t.Errorf("log\n%s", &log)
	}
}

// What is not asked for is not asked of the MTA.
func TestWants(t *testing.T) {
	for _, tt := range []struct {
		c             Config
		events, reply handlers.Kinds
	}{
		{Config{}, 0, 0},
		{Config{Trust: network}, handlers.Of(handlers.KindConnect, handlers.KindHeader, handlers.KindEndOfHeader), 0},
		{Config{Insert: true}, handlers.Of(handlers.KindHeader, handlers.KindEndOfMessage), handlers.Of(handlers.KindEndOfMessage)},
	} {
		if w := New(tt.c).Wants(); w.Events != tt.events || w.Replies != tt.reply {
			t.Errorf("%+v wants %v", tt.c, w)
		}
	}
}

// A header that is none of the fields costs nothing.
func TestHeaderAllocs(t *testing.T) {
	f := &filter{}
	h := &protocol.Header{Name: protocol.View("X-Parenting"), Value: protocol.View("x")}
	if n := testing.AllocsPerRun(100, func() { f.header(nil, h) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFields(f *testing.F) {
	f.Add("Traceparent", parent, "tracestate", "a=1,b=2")
	f.Add("traceparent", parent, "traceparent", parent)
	f.Add("TRACEPARENT", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-x", "Tracestate", " ,\r\n\t,")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		v, parents := new(fields), 0
		for _, h := range [][2]string{{name1, value1}, {name2, value2}} {
			if name := protocol.View(h[0]); isOurs(name) {
				v.add(name, h[1])
			}
			if strings.EqualFold(h[0], parentName) {
				parents++
			}
		}
		if len(v.parent) > maxParent || len(v.state) > maxState {
			t.Errorf("%d and %d bytes are kept", len(v.parent), len(v.state))
		}
		remote := v.remote()
		if !remote.IsValid() {
			return
		}
		if at := "-" + remote.TraceID().String() + "-" + remote.SpanID().String() + "-"; parents != 1 || !strings.Contains(value1+value2, at) {
			t.Errorf("%d fields, %q and %q, name %v", parents, value1, value2, remote)
		}
	})
}
