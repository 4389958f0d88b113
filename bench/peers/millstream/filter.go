package main

import (
	"context"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A filter is what the server does with a message.
type filter struct {
	stream   bool   // only watch what comes before the end
	handlers int    // how many take every event
	slow     string // the sender whose messages wait; "" for none
	named    bool   // the members have a name
}

// slowTime is how long the function takes that some messages wait for.
const slowTime = 100 * time.Millisecond

// handler returns the chain. Its last member adds the header.
func (f *filter) handler() handlers.Handler {
	var chain []handlers.Handler
	if f.slow != "" {
		chain = append(chain, wait(f.slow))
	}
	for i := range f.handlers {
		m := f.member(i == f.handlers-1)
		if f.named {
			m = handlers.Named("peer", m)
		}
		chain = append(chain, m)
	}
	return handlers.Chain(chain...)
}

// member takes every event.
func (f *filter) member(last bool) handlers.Handler {
	return handlers.Chain(
		take[*protocol.Connect](f.stream), take[*protocol.Helo](f.stream), take[*protocol.MailFrom](f.stream),
		take[*protocol.RcptTo](f.stream), take[*protocol.Data](f.stream), take[*protocol.Header](f.stream),
		take[*protocol.EndOfHeader](f.stream), take[*protocol.Body](f.stream), take[*protocol.Unknown](f.stream),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			if last {
				m.AddHeader("X-Peer", "millstream")
			}
			return handlers.Continue
		}),
	)
}

func take[E handlers.Answered](stream bool) handlers.Handler {
	if stream {
		return handlers.Observe(func(*handlers.Session, E) {})
	}
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return handlers.Continue })
}

// wait has the messages of one sender wait at their end. It leaves the event loop
// for them only, so that all others cost what they did.
func wait(sender string) handlers.Handler {
	const key = "slow"
	return handlers.Chain(
		handlers.Observe(func(s *handlers.Session, m *protocol.MailFrom) {
			if string(m.Addr) == sender {
				s.Shelf().Set(key, true)
			}
		}),
		handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
			if _, slow := s.Shelf().Get(key); !slow {
				return handlers.Continue
			}
			return handlers.Async(func(ctx context.Context) handlers.Reply {
				select {
				case <-ctx.Done():
				case <-time.After(slowTime):
				}
				return handlers.Continue
			})
		}),
	)
}
