package actors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"millstream/handlers"
	"millstream/protocol"
)

// tracer takes spans. It samples sessions as it is told to, and what is below them as
// they are.
type tracer struct {
	embedded.TracerProvider
	samples func(attrs []attribute.KeyValue) bool

	mu    sync.Mutex
	made  byte
	spans []*tracedSpan // that are recorded, in the order in which they began
}

// tracedSpan is a span of tracer.
type tracedSpan struct {
	noop.Span
	t         *tracer
	name      string
	parent    trace.SpanID
	context   trace.SpanContext
	recording bool
	ended     bool
	status    codes.Code
	links     []trace.Link
}

func (t *tracer) Tracer(string, ...trace.TracerOption) trace.Tracer { return starter{t: t} }

// starter is the part of a tracer that begins spans.
type starter struct {
	embedded.Tracer
	t *tracer
}

func (b starter) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	t := b.t
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	parent, cfg := trace.SpanContextFromContext(ctx), trace.NewSpanStartConfig(options...)
	s := &tracedSpan{t: t, name: name, parent: parent.SpanID(), links: cfg.Links()}
	c := trace.SpanContextConfig{TraceID: parent.TraceID(), SpanID: trace.SpanID{t.made}}
	if cfg.NewRoot() {
		c.TraceID, s.parent = trace.TraceID{t.made}, trace.SpanID{}
		s.recording = t.samples(cfg.Attributes())
	} else {
		s.recording = parent.IsSampled()
	}
	if s.recording {
		c.TraceFlags = trace.FlagsSampled
		t.spans = append(t.spans, s)
	}
	s.context = trace.NewSpanContext(c)
	return trace.ContextWithSpan(ctx, s), s
}

func (s *tracedSpan) SpanContext() trace.SpanContext { return s.context }
func (s *tracedSpan) IsRecording() bool              { return s.recording }
func (s *tracedSpan) End(...trace.SpanEndOption) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.ended = true
}

func (s *tracedSpan) SetStatus(c codes.Code, _ string) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.status = c
}

func (s *tracedSpan) AddLink(l trace.Link) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.links = append(s.links, l)
}

// tree writes the spans as a tree: those below others in brackets, and the number of
// the span that one is linked to behind it.
func (t *tracer) tree() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var under func(parent trace.SpanID) string
	under = func(parent trace.SpanID) string {
		var list []string
		for _, s := range t.spans {
			if s.parent != parent {
				continue
			}
			text := strings.TrimPrefix(s.name, "milter.")
			for _, l := range s.links {
				text += fmt.Sprint("@", l.SpanContext.SpanID()[0])
			}
			if s.status == codes.Error {
				text += "!"
			}
			if !s.ended {
				text += "..."
			}
			if below := under(s.context.SpanID()); below != "" {
				text += "(" + below + ")"
			}
			list = append(list, text)
		}
		return strings.Join(list, " ")
	}
	return under(trace.SpanID{})
}

func everySession([]attribute.KeyValue) bool { return true }
func noSession([]attribute.KeyValue) bool    { return false }

// kept samples what is to be kept.
func kept(attrs []attribute.KeyValue) bool {
	for _, a := range attrs {
		if a.Key == KeepAttribute {
			return true
		}
	}
	return false
}

// patient is a handler of recipients that works until its context ends.
func patient(work func(s *handlers.Session)) handlers.Handler {
	return handlers.Named("patient", handlers.Go(func(s *handlers.Session, _ *protocol.RcptTo) handlers.Reply {
		work(s)
		<-s.Context().Done()
		return handlers.Continue
	}))
}

func TestSpans(t *testing.T) {
	reject := handlers.Named("strict", handlers.Go(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Reject }))
	refuse := handlers.Named("strict", handlers.On(func(*handlers.Session, *protocol.Data) handlers.Reply { return handlers.Reject }))
	later := handlers.Named("strict", handlers.Go(func(*handlers.Session, *protocol.Data) handlers.Reply { return handlers.Reject }))
	failing := handlers.Named("strict", handlers.Go(func(*handlers.Session, *protocol.Data) handlers.Reply {
		return handlers.Failed(errors.New("no scanner"))
	}))
	idle := func(*handlers.Session) {}
	tests := []struct {
		name    string
		samples func([]attribute.KeyValue) bool
		handler handlers.Handler
		script  string
		want    string
	}{
		{"sampled", everySession, reject, "O M R A M Q", "session(message(handler strict) message)"},
		{"not sampled", noSession, refuse, "O M R T A Q", ""},
		{"refused", kept, refuse, "O M A M R T M A Q", "session(message message)"},
		{"refused later", kept, later, "O M A M R T M A Q", "session(message(handler strict) message)"},
		{"failed later", kept, failing, "O M R T Q", "session(message!(handler strict!))"},
		{"out of order", everySession, reject, "O R Q", "session!"},
		{"aborted", everySession, patient(idle), "O M R A Q", "session(message(handler patient))"},
		{"timeout", everySession, patient(idle), "O M R", "session(message...(handler patient!))"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &tracer{samples: tt.samples}
				var text bytes.Buffer
				log := slog.New(slog.NewTextHandler(&text, nil))
				o, err := NewOffline(Config{Log: log, Tracer: to, HandlerTimeout: time.Second}, handlers.Shared(tt.handler))
				if err != nil {
					t.Fatal(err)
				}
				for word := range strings.FieldsSeq(tt.script) {
					_ = o.Feed(packets(word))
					synctest.Wait()
				}
				time.Sleep(2 * time.Second) // in the bubble
				got := to.tree()
				if !strings.HasSuffix(tt.script, "Q") {
					got = strings.Replace(got, "session...", "session", 1) // it goes on
				}
				want(t, "spans", got, tt.want)
				o.HangUp(nil)
				if strings.Contains(text.String(), "session failed") {
					t.Errorf("log\n%s", &text)
				}
			})
		})
	}
}

// A goroutine that a handler leaves behind may ask for a context when all is over: no
// span begins that would never end.
func TestSpanLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan *handlers.Session, 1)
		h := handlers.Named("leaves", handlers.Blocking(handlers.On(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
			late <- s
			return handlers.Continue
		})))
		to := &tracer{samples: everySession}
		o, err := NewOffline(Config{Log: quiet, Tracer: to}, handlers.Shared(h))
		if err != nil {
			t.Fatal(err)
		}
		_ = o.Feed(packets("O M"))
		synctest.Wait()
		_ = o.Feed(packets("A Q"))
		ctx := (<-late).Context()
		if ctx.Err() == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
			t.Errorf("context %v, %v", ctx.Err(), trace.SpanContextFromContext(ctx))
		}
		want(t, "spans", to.tree(), "session(message(handler leaves))")
	})
}

// Lines about a session, and what is told of a message when it has ended, are within
// its span.
func TestSpanOfLines(t *testing.T) {
	var text bytes.Buffer
	var told trace.SpanContext
	h := handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
			return handlers.Failed(fmt.Errorf("broken"))
		}),
		handlers.Observe(func(s *handlers.Session, _ *handlers.Result) { told = trace.SpanContextFromContext(s.Context()) }),
	)
	to := &tracer{samples: everySession}
	log := slog.New(spanLog{slog.NewTextHandler(&text, nil)})
	o, err := NewOffline(Config{Log: log, Tracer: to}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Feed(packets("O M Q"))
	message := to.spans[1].context.SpanID()
	if !strings.Contains(text.String(), "span="+message.String()) {
		t.Errorf("span %v, log\n%s", message, &text)
	}
	if told.SpanID() != message {
		t.Errorf("told of the message within %v, not %v", told.SpanID(), message)
	}
}

// spanLog says within which span a line was written.
type spanLog struct{ slog.Handler }

func (h spanLog) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(slog.String("span", trace.SpanContextFromContext(ctx).SpanID().String()))
	return h.Handler.Handle(ctx, r)
}

// Of calls that are told as one, the number is told.
func TestVisitAttributes(t *testing.T) {
	count := func(n int) attribute.Value {
		set := attribute.NewSet(visitAttributes(&Visit{Handler: "scan", Count: n})...)
		v, _ := set.Value(attrCount)
		return v
	}
	if one, three := count(1), count(3); one.AsInt64() != 0 || three.AsInt64() != 3 {
		t.Errorf("one call is told as %v, three as %v", one, three)
	}
}

// A network tells where a client is, but not who.
func TestClientNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:2::3": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48",
	} {
		if got := networkOf(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s is in %v, want %s", address, got, want)
		}
	}
	if got := networkOf(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is in %v", got)
	}
}
