package handlers_test

import (
	"strings"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// TagSubject marks bulk mail. The headers are only observed, so the MTA does not
// wait for answers to them; what is remembered of a message is on its shelf.
func TagSubject() handlers.Handler {
	return handlers.Chain(
		handlers.Observe(func(s *handlers.Session, h *protocol.Header) {
			switch {
			case h.Name.EqualFold("Subject"):
				s.Shelf().Set("subject", h.Value.String())
			case h.Name.EqualFold("Precedence"):
				s.Shelf().Set("bulk", h.Value.EqualFold("bulk"))
			}
		}),
		handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
			if bulk, _ := s.Shelf().Get("bulk"); bulk != true {
				return handlers.Continue
			}
			subject, _ := s.Shelf().Get("subject")
			if old, ok := subject.(string); ok && !strings.HasPrefix(old, "[bulk] ") {
				m.ChangeHeader("Subject", 1, "[bulk] "+old)
			}
			return handlers.Continue
		}),
	)
}

// Headers are collected, and the subject is rewritten.
func Example_subject() {
	s := handlertest.New(t, TagSubject())
	show(s.Send(handlertest.Mail{
		From:    "<shop@example.com>",
		Headers: []handlers.Field{{Name: "Subject", Value: "Buy now"}, {Name: "Precedence", Value: "bulk"}},
	}))
	show(s.Send(handlertest.Mail{
		From:    "<friend@example.com>",
		Headers: []handlers.Field{{Name: "Subject", Value: "Dinner?"}},
	}))
	// Output:
	// end-of-message: continue
	//   change-header 1 Subject: [bulk] Buy now
	// end-of-message: continue
}
