package main

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
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

// logMessage logs what became of a message: all that is asked for when someone asks
// where it is, in one line.
func logMessage(log *slog.Logger, s *handlers.Session, r *handlers.Result) {
	host, client := s.Client()
	log.InfoContext(s.Context(), "message",
		"session", s.ID(), "qid", queueID(s), "client", client.String(), "host", host, "helo", s.Helo(),
		"from", r.From, "rcpts", len(r.Recipients), "rejected", len(r.Rejected)+len(r.TempFailed), "size", sizeOf(r),
		"verdict", verdictNames[verdictOfResult(r)], "reply", r.Reply, "by", r.By, "quarantine", r.QuarantineReason,
		"stage", r.State.String(), "took", r.Elapsed(), "handlers", r.HandlerTime)
}

// sizeOf returns how large a message is: the bytes of the body that came, or if no
// handler takes it the size that the SMTP client announced; 0 if nobody said.
func sizeOf(r *handlers.Result) uint64 {
	if r.BodySize > 0 {
		return r.BodySize
	}
	for _, p := range r.FromParams {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(name, "SIZE") {
			size, _ := strconv.ParseUint(value, 10, 64)
			return size
		}
	}
	return 0
}

// queueID returns the name of the message in the queue of the MTA. Postfix has none
// before the first recipient is accepted.
func queueID(s *handlers.Session) string {
	if id := s.Macro("i"); id != "" {
		return id
	}
	return "NOQUEUE"
}
