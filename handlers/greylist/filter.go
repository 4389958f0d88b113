package greylist

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"millstream/handlers"
	"millstream/handlers/store"
	"millstream/handlers/when"
	"millstream/protocol"
)

// filter asks a store. It is shared by all sessions; what is of a message is on the shelf.
type filter struct {
	settings  *Settings
	keys      keys
	skipped   when.Network
	marks     store.Marks
	mayWait   bool // the marks may, so they are not asked on the event loop
	telemetry *telemetry
	log       *slog.Logger
	shelf     string // the place on the shelf
}

// A message is what is kept of the message under way.
type message struct {
	sender  string        // without brackets
	delayed time.Duration // the longest that a recipient of it has waited
	counted bool          // a recipient of it has passed
}

// handler returns f as a handler of no more events than it needs.
func (f *filter) handler() handlers.Handler {
	f.shelf = fmt.Sprintf("greylist %p", f)
	hs := []handlers.Handler{handlers.Need(handlers.KindConnect), handlers.On(f.rcpt)}
	if f.keys.byHelo {
		hs = append(hs, handlers.Need(handlers.KindHelo))
	}
	if f.settings.SkipAuthenticated {
		hs = append(hs, handlers.On(negotiate))
	}
	if f.settings.Header != "" {
		hs = append(hs, handlers.On(f.end))
	}
	return handlers.Chain(hs...)
}

// authUser is the macro that tells who has logged in.
const authUser = "auth_authen"

// negotiate asks for the macro of who has logged in where others are asked for, since the
// MTA does not send it then.
func negotiate(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
	n.AlsoMacros(protocol.StageMail, authUser)
	return handlers.Reply{}
}

func (f *filter) rcpt(s *handlers.Session, c *protocol.RcptTo) handlers.Reply {
	if s.RcptRefused() {
		return handlers.Continue
	}
	m := f.message(s)
	_, addr := s.Client()
	client := addr.IP.Unmap().WithZone("")
	if f.skips(s, m, client) {
		return f.answer(s.Context(), m, verdict{result: skipped})
	}
	of := subject{client: client, sender: m.sender, rcpt: c.Mailbox()}
	if f.keys.byHelo {
		of.helo = s.Helo()
	}
	k := f.keys.make(of)
	if !f.mayWait {
		return f.answer(s.Context(), m, f.decide(s.Context(), k, !m.counted))
	}
	return handlers.Async(func(ctx context.Context) handlers.Reply {
		return f.answer(ctx, m, f.decide(ctx, k, !m.counted))
	})
}

// message returns what is kept of the message under way.
func (f *filter) message(s *handlers.Session) *message {
	kept, _ := s.Shelf().Get(f.shelf)
	if m, ok := kept.(*message); ok {
		return m
	}
	m := &message{}
	if r := s.Result(); r != nil {
		from := protocol.MailFrom{Addr: protocol.View(r.From)}
		m.sender = from.Mailbox().String()
	}
	s.Shelf().Set(f.shelf, m)
	return m
}

// skips reports whether the recipients of a message are not delayed, whatever they are.
func (f *filter) skips(s *handlers.Session, m *message, client netip.Addr) bool {
	return !client.IsValid() || f.skipped.HasAddr(client) ||
		f.settings.SkipNullSender && m.sender == "" ||
		f.settings.SkipAuthenticated && s.Macro(authUser) != ""
}

// answer notes a verdict and answers it.
func (f *filter) answer(ctx context.Context, m *message, v verdict) handlers.Reply {
	f.telemetry.note(ctx, v)
	if v.refuses() {
		return f.settings.reply(f.settings.Delay - v.waited)
	}
	if v.result == passed {
		m.counted, m.delayed = true, max(m.delayed, v.waited)
	}
	return handlers.Continue
}

// waitWord is what stands for the seconds to wait in a text.
const waitWord = "{{wait}}"

// reply returns the refusal of who has to wait for so long.
func (s *Settings) reply(wait time.Duration) handlers.Reply {
	text := s.Text
	if strings.Contains(text, waitWord) {
		wait = min(max(wait, 0), s.Delay) // the clocks of machines differ
		text = strings.ReplaceAll(text, waitWord, strconv.FormatInt(seconds(wait), 10))
	}
	return handlers.TempFail.With(s.Code, s.Enhanced, text)
}

// seconds returns a time in seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// end tells in a header how long the message was delayed, if the MTA takes one.
func (f *filter) end(s *handlers.Session, m *handlers.Message) handlers.Reply {
	kept, _ := s.Shelf().Get(f.shelf)
	if of, ok := kept.(*message); ok && of.delayed > 0 && m.Can(protocol.ActionAddHeaders) {
		m.AddHeader(f.settings.Header, fmt.Sprintf("delayed %d seconds by greylisting", seconds(of.delayed)))
	}
	return handlers.Continue
}
