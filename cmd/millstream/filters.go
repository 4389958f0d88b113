package main

import (
	"fmt"
	"log/slog"
	"time"

	"millstream/handlers"
)

// defaultHeader is the header that the default filter adds.
const defaultHeader = "X-Millstream"

// defaultFilter returns the filter that is served without a configuration: it adds
// a header that tells how the message went, and logs a line for it. Nothing is
// refused. The MTA waits for one answer a message.
func defaultFilter(log *slog.Logger) handlers.Handler {
	return handlers.Chain(
		handlers.On(mark),
		handlers.Observe(func(s *handlers.Session, r *handlers.Result) { logMessage(log, s, r) }),
		handlers.Need(handlers.KindConnect, handlers.KindHelo, handlers.KindEnvelopeFrom,
			handlers.KindEnvelopeRecipient),
	)
}

// mark adds the header.
func mark(s *handlers.Session, m *handlers.Message) handlers.Reply {
	begun := s.Result().Start
	m.AddHeader(defaultHeader, fmt.Sprintf("session=%d; qid=%s; begun=%s; took=%s",
		s.ID(), queueID(s), begun.UTC().Format(time.RFC3339Nano), time.Since(begun).Round(time.Microsecond)))
	return handlers.Continue
}

// logMessage logs what became of a message.
func logMessage(log *slog.Logger, s *handlers.Session, r *handlers.Result) {
	host, client := s.Client()
	log.Info("message",
		"session", s.ID(), "qid", queueID(s), "client", client.String(), "host", host, "helo", s.Helo(),
		"from", r.From, "rcpts", len(r.Recipients), "rejected", len(r.Rejected)+len(r.TempFailed),
		"status", r.Status.String(), "state", r.State.String(),
		"took", r.Elapsed(), "handlers", r.HandlerTime)
}

// queueID returns the name of the message in the queue of the MTA. Postfix has none
// before the first recipient is accepted.
func queueID(s *handlers.Session) string {
	if id := s.Macro("i"); id != "" {
		return id
	}
	return "NOQUEUE"
}
