package dnsbl

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"millstream/handlers"
	"millstream/protocol"
)

// filter is the handler, shared by all sessions.
type filter struct {
	lists             []*list
	actions           []action
	resolver          Resolver
	log               *slog.Logger
	deadline          time.Duration
	skipPrivate       bool
	skipAuthenticated bool
	uriHosts          int
	uriBytes          int
	key               string   // of a message on the shelf
	connections       sync.Map // from the ID of a session to its *connection
}

// A connection is what is known of a client.
type connection struct {
	known [2]string // the client and its name as they were looked up
	found [2][]*finding
}

// A message is what is known of a message.
type message struct {
	sender string
	found  []*finding // of the sender
	uris   scanner
}

// New returns the handler of settings. Nothing is asked before a client comes. log takes
// that lists fail, and slog.Default stands in for nil; meter takes measurements, and the
// global one of OpenTelemetry stands in for nil. The error is that Check has something to
// tell.
func New(s *Settings, r Resolver, log *slog.Logger, meter metric.MeterProvider) (handlers.Handler, error) {
	var err error
	s.Check(func(key, text string) {
		if err == nil {
			err = fmt.Errorf("%w: %s: %s", protocol.ErrInvalidArgument, key, text)
		}
	})
	if err == nil && r == nil {
		err = fmt.Errorf("%w: resolver of dnsbl", handlers.ErrNull)
	}
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.Default()
	}
	f := &filter{
		resolver: r, log: log, deadline: s.Deadline, skipPrivate: s.SkipPrivate,
		skipAuthenticated: s.SkipAuthenticated, uriHosts: s.URIHosts, uriBytes: s.URIBytes,
	}
	f.key = fmt.Sprintf("dnsbl %p", f)
	for i := range s.Zones {
		l, err := newList(&s.Zones[i])
		if err != nil {
			return nil, err
		}
		f.lists = append(f.lists, l)
	}
	if f.actions, err = newActions(s.Actions); err != nil {
		return nil, err
	}
	return f.handler(s.Stage == stageConnect), measure(f.lists, meter)
}

// handler returns the functions that are needed for what the lists look up.
func (f *filter) handler(early bool) handlers.Handler {
	list := []handlers.Handler{
		handlers.On(f.mail),
		handlers.Observe(func(s *handlers.Session, _ *handlers.Finished) { f.connections.Delete(s.ID()) }),
	}
	if f.skipAuthenticated {
		list = append(list, handlers.On(f.negotiate))
	}
	switch {
	case early && f.looksUp(client):
		list = append(list, handlers.On(f.connect))
	default: // also to know who is private
		list = append(list, handlers.Need(handlers.KindConnect))
	}
	switch {
	case early && f.looksUp(helo):
		list = append(list, handlers.On(f.helo))
	case f.looksUp(helo) || f.tells(factHelo):
		list = append(list, handlers.Need(handlers.KindHelo))
	}
	if f.looksUp(uri) {
		list = append(list, handlers.On(f.body))
	}
	if f.looksUp(uri) || f.marks() {
		list = append(list, handlers.On(f.end))
	}
	return handlers.Chain(list...)
}

// looksUp reports whether any list looks a kind up.
func (f *filter) looksUp(k kind) bool {
	return slices.ContainsFunc(f.lists, func(l *list) bool { return l.looksUp[k] })
}

// tells reports whether a text has a fact in it.
func (f *filter) tells(name string) bool {
	return slices.ContainsFunc(f.actions, func(a action) bool {
		return slices.ContainsFunc(a.text, func(p part) bool { return p.fact == name })
	})
}

// negotiate sees to it that MAIL comes with who has logged in, if somebody else has asked
// for certain macros there. Without that MTAs send them.
func (*filter) negotiate(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
	n.AlsoMacros(protocol.StageMail, "auth_authen", "auth_type")
	return handlers.Reply{}
}

// connection returns what is known of the client of a session.
func (f *filter) connection(s *handlers.Session) *connection {
	c, _ := f.connections.LoadOrStore(s.ID(), new(connection))
	return c.(*connection)
}

// isLocal reports whether the client is one that lists know nothing of.
func (f *filter) isLocal(addr netip.Addr) bool {
	return !addr.IsValid() || f.skipPrivate && isPrivate(addr)
}

// clientOf returns the address of the client.
func clientOf(s *handlers.Session) netip.Addr {
	_, addr := s.Client()
	return addr.IP.Unmap()
}

// isAuthenticated reports whether the client has logged in.
func isAuthenticated(s *handlers.Session) bool {
	return s.Macro("auth_authen") != "" || s.Macro("auth_type") != ""
}

// after has queries asked, and then k answer, off the event loop. It answers at once if
// there is nothing to ask. k is told of a failure, if no list has answered.
func (f *filter) after(queries []query, k func(a answers, failure error) handlers.Reply) handlers.Reply {
	if len(queries) == 0 {
		return k(answers{}, nil)
	}
	return handlers.Async(func(ctx context.Context) handlers.Reply {
		a, err := f.look(ctx, queries)
		if ctx.Err() != nil {
			return handlers.Reply{} // nobody wants it any more
		}
		return k(a, err)
	})
}
