// Package traceparent carries traces through mail. It reads and writes two header
// fields, Traceparent and Tracestate, which are to a message what W3C Trace Context
// makes of them for an HTTP request:
//
//	Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//
// A message that comes with them is linked to the trace that they name. Its own trace is
// another one, that of the session, in which there may be messages of many senders. The
// span of the message takes the link: it is the one in the context of the session, so
// the handler that New returns is not to be given a name. For messages whose session was
// not sampled the server has to be told to take links (TraceLinks in the Config of
// package actors).
package traceparent

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"millstream/handlers"
	"millstream/protocol"
)

// Config says what is done with the header fields. The zero Config does nothing, and
// asks the MTA for nothing.
type Config struct {
	// Trust are the networks of the SMTP clients whose fields are believed. Those of
	// others are not read: whoever can write them decides what is traced.
	Trust []netip.Prefix

	// Insert replaces the fields of each message that is traced, whoever wrote them, by
	// one that names the span of the message. The MTA has to allow headers to be added
	// and changed; if it does not, or if there are over 32 of them, the message stays as
	// it is.
	Insert bool

	// Log takes a line, once, if the MTA does not allow what Insert needs. Nil means
	// slog.Default.
	Log *slog.Logger
}

// New returns a handler that does what c says. It is to come before others that may
// end a message, in a chain.
func New(c Config) handlers.Handler {
	f := &filter{Config: c}
	if f.Log == nil {
		f.Log = slog.Default()
	}
	var chain []handlers.Handler
	if len(c.Trust) > 0 || c.Insert {
		chain = append(chain, handlers.Observe(f.header))
	}
	if len(c.Trust) > 0 {
		chain = append(chain, handlers.Need(handlers.KindConnect), handlers.Observe(f.link))
	}
	if c.Insert {
		chain = append(chain, handlers.On(f.insert))
	}
	return handlers.Chain(chain...)
}

// filter is the handler. It is shared by all sessions.
type filter struct {
	Config
	refused sync.Once // it was said that an MTA does not allow what is needed
}

// shelf is where the fields of a message are kept.
const shelf = "millstream.traceparent"

// header notes a field.
func (f *filter) header(s *handlers.Session, h *protocol.Header) {
	if !isOurs(h.Name) {
		return
	}
	v := fieldsOf(s)
	if v == nil {
		v = new(fields)
		s.Shelf().Set(shelf, v)
	}
	v.add(h.Name, string(h.Value))
}

// fieldsOf returns the fields of a message; nil if it has none.
func fieldsOf(s *handlers.Session) *fields {
	v, _ := s.Shelf().Get(shelf)
	found, _ := v.(*fields)
	return found
}

// link links the message to what its fields name.
func (f *filter) link(s *handlers.Session, _ *protocol.EndOfHeader) {
	v := fieldsOf(s)
	if v == nil || !f.trusts(s) {
		return
	}
	if remote := v.remote(); remote.IsValid() {
		trace.SpanFromContext(s.Context()).AddLink(trace.Link{SpanContext: remote})
	}
}

// trusts reports whether the fields of the SMTP client are believed.
func (f *filter) trusts(s *handlers.Session) bool {
	_, client := s.Client()
	ip := client.IP.Unmap()
	for _, network := range f.Trust {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// insert replaces the fields.
func (f *filter) insert(s *handlers.Session, m *handlers.Message) handlers.Reply {
	ctx := s.Context()
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return handlers.Continue
	}
	theirs, need := fieldsOf(s), protocol.ActionAddHeaders
	if theirs != nil {
		need |= protocol.ActionChangeHeaders
	}
	switch {
	case !m.Can(need):
		f.complain(ctx, s, need)
		return handlers.Continue
	case theirs != nil && theirs.many():
		return handlers.Continue
	case theirs != nil:
		theirs.remove(m)
	}
	ours := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, ours)
	for _, name := range []string{parentName, stateName} {
		if value := ours.Get(keyOf(name)); value != "" {
			m.AddHeader(name, value)
		}
	}
	return handlers.Continue
}

// complain says, once, that an MTA does not allow what is needed.
func (f *filter) complain(ctx context.Context, s *handlers.Session, need protocol.Actions) {
	f.refused.Do(func() {
		f.Log.WarnContext(ctx, "no traceparent is inserted where the MTA does not offer what that needs",
			"session", s.ID(), "mta", s.Peer().String(), "missing", (need &^ s.Options().Actions).String())
	})
}
