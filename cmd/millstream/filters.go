package main

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"millstream/cmd/internal/config"
	"millstream/handlers"
	"millstream/handlers/policy"
)

// filter returns what is served: the handlers of a configuration, and a line of the log
// for each message unless that says no. The MTA does not wait for the line.
func filter(c *config.Config, g *config.Generation, log *slog.Logger) handlers.Handler {
	if !c.Log.Messages {
		return g.Handler
	}
	return handlers.Chain(
		g.Handler,
		logMessages(log),
		handlers.Need(handlers.KindConnect, handlers.KindHelo, handlers.KindEnvelopeFrom,
			handlers.KindEnvelopeRecipient),
	)
}

// logObserved returns a function that logs what a handler would have done that is only
// observed.
func logObserved(log *slog.Logger) func(string, *handlers.Session, policy.Finding) {
	return func(name string, s *handlers.Session, f policy.Finding) {
		attributes := []any{
			"handler", name, "session", s.ID(), "qid", s.QueueID(), "event", f.Event.String(), "reply", f.Reply,
		}
		if c := f.Changes; c != nil {
			attributes = append(attributes, "added", len(c.AddedHeaders), "removed", len(c.RemovedHeaders),
				"from", c.ChangedFrom, "rcpts_added", len(c.AddedRecipients), "rcpts_deleted", len(c.DeletedRecipients),
				"body", max(c.NewBodySize, 0), "quarantine", c.QuarantineReason)
		}
		log.InfoContext(s.Context(), "observed only", attributes...)
	}
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
		"session", s.ID(), "qid", keep(s.QueueID(), maxKeptText),
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
