package handlers_test

import (
	"log/slog"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// Journal logs what becomes of each message, and every verdict on the way. It writes
// to a disk, so it does not hold the event loop.
func Journal(log *slog.Logger) handlers.Handler {
	return handlers.Blocking(handlers.Chain(
		handlers.Observe(func(s *handlers.Session, r *handlers.Result) {
			log.Info("message", "id", s.Macro("i"), "from", r.From, "to", r.Recipients,
				"status", r.Status, "bytes", r.BodySize, "took", r.Elapsed())
		}),
		handlers.Observe(func(s *handlers.Session, r *handlers.Response) {
			if r.To != handlers.KindNegotiate && !r.Status.IsPass() {
				log.Info("verdict", "session", s.ID(), "at", r.To, "status", r.Status)
			}
		}),
		handlers.Observe(func(s *handlers.Session, f *handlers.Failure) {
			log.Error("failure", "session", s.ID(), "during", f.During, "err", f.Err)
		}),
		handlers.Need(handlers.KindEnvelopeRecipient, handlers.KindBody), // for Result
	))
}

// Beside a filter, a journal is told of its answers and its failures.
func Example_journal() {
	filter := handlers.Chain(
		Journal(logger()),
		handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
			if c.Mailbox().EqualFold("old@example.net") {
				return handlers.Skip // a mistake: it is for the body
			}
			return handlers.Continue
		}),
		handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Accept }),
	)

	s := handlertest.New(t, filter)
	s.Macros(protocol.CodeMailFrom, "i", "4F1bN71jzQ")
	s.Send(handlertest.Mail{From: "<a@example.com>", To: []string{"<old@example.net>", "<b@example.net>"}, Body: "Hello.\r\n"})
	// Output:
	// level=ERROR msg=failure session=1 during=envelope-recipient err="milter: status not allowed: skip to envelope-recipient"
	// level=INFO msg=verdict session=1 at=envelope-recipient status=tempfail
	// level=INFO msg=verdict session=1 at=end-of-message status=accept
	// level=INFO msg=message id=4F1bN71jzQ from=<a@example.com> to=[<b@example.net>] status=accept bytes=8
}
