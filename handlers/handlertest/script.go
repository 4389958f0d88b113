package handlertest

import (
	"context"
	"time"

	"millstream/handlers"
	"millstream/protocol"
	"millstream/protocol/script"
)

// Scripted returns the filter that a session script describes: what its lines
// "filter answers", "filter observes" and "filter on" say. It is for those who play
// scripts to a session or a server.
func Scripted(s *script.Script) handlers.Handler { return scripted{s} }

// scripted is the filter of a script.
type scripted struct{ *script.Script }

// Wants is [handlers.Handler].
func (f scripted) Wants() (w handlers.Wants) {
	for k := range handlers.KindFinished + 1 {
		if !f.Takes(k.String()) {
			continue
		}
		w.Events |= handlers.Of(k)
		if !f.Observes(k.String()) {
			w.Replies |= handlers.Of(k) &^ handlers.Unanswered
		}
	}
	return w
}

// Handle is [handlers.Handler].
func (f scripted) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	return perform(s, ev, f.On(handlers.KindOf(ev).String(), subject(ev)))
}

// subject returns what a line of a filter can be for.
func subject(ev handlers.Event) string {
	switch e := ev.(type) {
	case *protocol.Connect:
		return e.Host.String()
	case *protocol.Helo:
		return e.Name.String()
	case *protocol.MailFrom:
		return e.Addr.String()
	case *protocol.RcptTo:
		return e.Addr.String()
	case *protocol.Header:
		return e.Name.String()
	}
	return ""
}

// perform does what a script says.
func perform(s *handlers.Session, ev handlers.Event, list []script.Do) handlers.Reply {
	for i, do := range list {
		switch do := do.(type) {
		case script.Reply:
			return scriptedReply(do)
		case script.After:
			return handlers.Async(func(ctx context.Context) handlers.Reply {
				t := time.NewTimer(time.Duration(do))
				defer t.Stop()
				select {
				case <-ctx.Done():
					return handlers.Reply{}
				case <-t.C:
					return perform(s, ev, list[i+1:])
				}
			})
		case script.Hang:
			return handlers.Async(func(ctx context.Context) handlers.Reply {
				<-ctx.Done()
				return handlers.Reply{}
			})
		default:
			script.Perform(do, s, ev)
		}
	}
	return handlers.Reply{}
}

// replies has the reply of each status that a script may give.
var replies = map[protocol.Status]handlers.Reply{
	protocol.StatusContinue: handlers.Continue, protocol.StatusAccept: handlers.Accept,
	protocol.StatusReject: handlers.Reject, protocol.StatusTempFail: handlers.TempFail,
	protocol.StatusDiscard: handlers.Discard, protocol.StatusSkip: handlers.Skip,
	protocol.StatusNoReply: handlers.NoReply, protocol.StatusAllOptions: handlers.AllOptions,
}

func scriptedReply(do script.Reply) handlers.Reply {
	r := replies[do.Status]
	if !do.SMTP {
		return r
	}
	var lines []string
	if do.Text != "" {
		lines = []string{do.Text}
	}
	return r.With(do.Code, do.Enhanced, lines...)
}
