package actors

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"millstream/handlers"
	"millstream/protocol"
)

// elsewhere returns the name of a span of another program.
func elsewhere(id byte, flags trace.TraceFlags) trace.Link {
	return trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{id}, SpanID: trace.SpanID{id}, TraceFlags: flags, Remote: true,
	})}
}

// linkedTo is a handler that links each message at the end of its headers.
func linkedTo(links ...trace.Link) handlers.Handler {
	return handlers.Observe(func(s *handlers.Session, _ *protocol.EndOfHeader) {
		for _, l := range links {
			trace.SpanFromContext(s.Context()).AddLink(l)
		}
	})
}

// quickly is a handler that answers at once, off the loop.
func quickly[E handlers.Answered](name string, r handlers.Reply) handlers.Handler {
	return handlers.Named(name, handlers.Go(func(*handlers.Session, E) handlers.Reply { return r }))
}

func TestLinks(t *testing.T) {
	sampled, unsampled := elsewhere(201, trace.FlagsSampled), elsewhere(202, 0)
	early := quickly[*protocol.RcptTo]("early", handlers.Continue)
	late := quickly[*handlers.Message]("late", handlers.Continue)
	strict := quickly[*protocol.EndOfHeader]("strict", handlers.Reject)
	tests := []struct {
		name    string
		off     bool // TraceLinks
		samples func([]attribute.KeyValue) bool
		handler handlers.Handler
		script  string
		want    string
	}{
		{"sampled session", false, everySession, linkedTo(sampled), "O M R N E Q", "session(message@201)"},
		{
			"followed", false, kept, handlers.Chain(early, linkedTo(sampled), late), "O M R N E Q",
			"session(message@201(handler early handler late))",
		},
		{"from then on", false, kept, linkedTo(sampled), "O M A M R N E M R E Q", "session(message@201 message)"},
		{"nothing comes after", false, kept, linkedTo(sampled), "O M R N A Q", "session(message@201)"},
		{"the connection ends", false, kept, linkedTo(sampled), "O M R N", "session(message@201)"},
		{"two links", false, kept, linkedTo(unsampled, sampled), "O M R N E Q", "session(message@202@201)"},
		{"no span", false, kept, linkedTo(trace.Link{}), "O M R N E Q", ""},
		{"linked to what is not sampled", false, kept, linkedTo(unsampled), "O M R N E Q", ""},
		{
			"refused too", false, kept, handlers.Chain(linkedTo(unsampled), strict), "O M R N Q",
			"session(message@202(handler strict))",
		},
		{
			"too many", false, kept, linkedTo(append(slices.Repeat([]trace.Link{unsampled}, maxLinks), sampled)...),
			"O M R N E Q", "",
		},
		{"the sampler declines", false, noSession, linkedTo(sampled), "O M R N B E Q", ""},
		{"not asked for", true, kept, linkedTo(sampled), "O M R N E Q", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &tracer{samples: tt.samples}
				o, err := NewOffline(Config{Log: quiet, Tracer: to, TraceLinks: !tt.off}, handlers.Shared(tt.handler))
				if err != nil {
					t.Fatal(err)
				}
				for word := range strings.FieldsSeq(tt.script) {
					_ = o.Feed(packets(word))
					synctest.Wait()
				}
				o.HangUp(nil)
				want(t, "spans", to.tree(), tt.want)
			})
		})
	}
}

// A handler that is at work when its message is over links no other one.
func TestLinkLate(t *testing.T) {
	var first trace.Span
	h := handlers.Observe(func(s *handlers.Session, _ *protocol.MailFrom) {
		if first == nil {
			first = trace.SpanFromContext(s.Context())
		}
	})
	to := &tracer{samples: kept}
	o, err := NewOffline(Config{Log: quiet, Tracer: to, TraceLinks: true}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Feed(packets("O M A M"))
	first.AddLink(elsewhere(201, trace.FlagsSampled))
	_ = o.Feed(packets("R E Q"))
	want(t, "spans", to.tree(), "")
}

// A message that may be linked costs two values more, if it is not traced.
func TestLinkAllocs(t *testing.T) {
	of := func(links bool) float64 {
		sys, err := NewSystem(Config{Log: quiet, Tracer: &tracer{samples: noSession}, TraceLinks: links}, handlers.Shared(filter()))
		if err != nil {
			t.Fatal(err)
		}
		link := sys.NewLoop().Open(&nullConn{}, "test")
		link.Feed(packets("O"))
		in := packets("M R L A")
		return allocs(t, func() { link.Feed(in) })
	}
	if without, with := of(false), of(true); with > without+2 {
		t.Errorf("%v allocations, %v without links", with, without)
	}
}
