package handlers_test

import (
	"context"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// A Lookups client has callbacks, and an event loop of its own.
type Lookups interface {
	Start(name string, done func(found bool))
}

// Callback answers from such a client.
func Callback(l Lookups) handlers.Handler {
	return handlers.On(func(_ *handlers.Session, c *protocol.Helo) handlers.Reply {
		name := c.Name.String()
		return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
			l.Start(name, func(found bool) {
				if !found {
					resolve(handlers.Reject.With(550, "5.7.1", "no such host: "+name))
					return
				}
				resolve(handlers.Continue)
			})
		})
	})
}

// hosts is a client of lookups that knows some names.
type hosts map[string]bool

func (h hosts) Start(name string, done func(bool)) { go done(h[name]) }

// A client with callbacks gives the answer.
func Example_callback() {
	s := handlertest.New(t, Callback(hosts{"mx.example": true}))
	show(s.Do(&protocol.Helo{Name: protocol.View("mx.example")}))
	show(s.Do(&protocol.Helo{Name: protocol.View("localhost")}))
	// Output:
	// helo: continue
	// helo: reject, "550 5.7.1 no such host: localhost"
}
