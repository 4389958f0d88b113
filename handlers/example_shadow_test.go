package handlers_test

import (
	"log/slog"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// Shadow runs a filter whose answers do not count: they are logged.
func Shadow(log *slog.Logger) handlers.Middleware {
	return handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		if handlers.KindOf(ev) == handlers.KindEndOfMessage {
			return handlers.Continue // it would change the message
		}
		return next.Handle(s, ev).Then(func(r handlers.Reply) handlers.Reply {
			if r.Status() != protocol.StatusContinue {
				log.Info("shadow", "session", s.ID(), "event", handlers.KindOf(ev), "reply", r)
			}
			return handlers.Continue
		})
	})
}

// A filter is tried out before it may refuse anything.
func ExampleMiddleware() {
	filter := handlers.Chain(
		handlers.Go(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
			return handlers.Reject.With(550, "5.7.1", "not from "+c.Mailbox().String())
		}),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.DeleteHeader("Subject", 1)
			return handlers.Discard
		}),
	)

	s := handlertest.New(t, Shadow(logger())(filter))
	show(s.Do(mail("<a@example.com>")))
	show(s.EndOfMessage())
	// Output:
	// level=INFO msg=shadow session=1 event=envelope-from reply="550 5.7.1 not from a@example.com"
	// envelope-from: continue
	// end-of-message: continue
}
