package main

import (
	"errors"
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
		logMessages(log),
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

// failureKey is where the shelf of a message has what went wrong with it.
const failureKey = "millstream.failure"

// maxLoggedRcpts is how many recipients the line of a message names.
const maxLoggedRcpts = 3

// logMessages returns a handler that logs a line for each message, and changes none.
func logMessages(log *slog.Logger) handlers.Handler {
	return handlers.Chain(
		handlers.Observe(func(s *handlers.Session, f *handlers.Failure) {
			if _, slow := errors.AsType[*handlers.SlowError](f.Err); !slow { // that decides nothing
				s.Shelf().Set(failureKey, f.Err.Error())
			}
		}),
		handlers.Observe(func(s *handlers.Session, r *handlers.Result) { logMessage(log, s, r) }),
	)
}

// logMessage logs what became of a message: all that is asked for when someone asks
// where it is, in one line. What comes from strangers is cut where it is long. The
// numbers of the trace are added where the line is written.
func logMessage(log *slog.Logger, s *handlers.Session, r *handlers.Result) {
	if !log.Enabled(s.Context(), slog.LevelInfo) {
		return
	}
	host, client := s.Client()
	log.InfoContext(s.Context(), "message",
		"session", s.ID(), "qid", keep(queueID(s), maxKeptText),
		"client", keepAddr(client).String(), "host", keep(host, maxKeptText), "helo", keep(s.Helo(), maxKeptText),
		"from", keep(r.From, maxKeptText), "rcpts", len(r.Recipients), "to", firstRcpts(r.Recipients),
		"rejected", len(r.Rejected)+len(r.TempFailed), "size", sizeOf(r),
		"verdict", verdictNames[verdictOfResult(r)], "reply", keep(r.Reply, maxKeptReply),
		"by", r.By, "reason", keep(reasonOf(s, r), maxKeptReply),
		"stage", r.State.String(), "took", r.Elapsed(), "handlers", r.HandlerTime)
}

// firstRcpts returns the first recipients in one text.
func firstRcpts(all []string) string {
	first := keepList(all[:min(len(all), maxLoggedRcpts)]).kept
	if len(all) > maxLoggedRcpts {
		first = append(first, "…")
	}
	return strings.Join(first, ",")
}

// reasonOf returns why a message was quarantined, or what went wrong with it; "" if the
// reply says it all.
func reasonOf(s *handlers.Session, r *handlers.Result) string {
	if r.QuarantineReason != "" {
		return r.QuarantineReason
	}
	failure, _ := s.Shelf().Get(failureKey)
	text, _ := failure.(string)
	return text
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
