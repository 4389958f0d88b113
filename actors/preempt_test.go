package actors

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"millstream/handlers"
)

// held is an answer that is never given by itself.
type held struct {
	ctx     context.Context
	resolve handlers.Resolve
}

// reply returns a pending reply that h holds.
func (h *held) reply(*handlers.Session, handlers.Event) handlers.Reply {
	return handlers.Progress(func(ctx context.Context, resolve handlers.Resolve) { h.ctx, h.resolve = ctx, resolve })
}

// pendingAt has a script to the event at which an answer is pending, and what an
// abort tells of it.
var pendingAt = []struct {
	kind   handlers.Kind
	script string
	state  string // "" outside a message
}{
	{handlers.KindNegotiate, "O", ""},
	{handlers.KindConnect, "O C", ""},
	{handlers.KindHelo, "O C H", ""},
	{handlers.KindUnknown, "O U", ""},
	{handlers.KindEnvelopeFrom, "O M", "envelope-from"},
	{handlers.KindEnvelopeRecipient, "O M R", "envelope-recipient"},
	{handlers.KindData, "O M R T", "data"},
	{handlers.KindUnknown, "O M U", "unknown"},
	{handlers.KindHeader, "O M L", "header"},
	{handlers.KindEndOfHeader, "O M N", "end-of-header"},
	{handlers.KindBody, "O M B", "body"},
	{handlers.KindEndOfMessage, "O M E", "end-of-message"},
}

// endings are what an event can be given up for, and what then ends its context.
var endings = []struct {
	name  string
	do    func(*probe)
	cause error
	last  string // event
}{
	{"quit", func(p *probe) { p.feed("R DM U Q") }, handlers.ErrSessionClosed, "finished"},
	{"new connection", func(p *probe) { p.feed("DR R K") }, handlers.ErrSessionClosed, "finished"},
	{"loss", func(p *probe) { p.feed("R"); p.HangUp(nil) }, handlers.ErrSessionClosed, "finished"},
	{"reset", func(p *probe) { p.HangUp(io.ErrClosedPipe) }, handlers.ErrSessionClosed, "finished(io)"},
	{"abort", func(p *probe) { p.feed("R T A") }, handlers.ErrAborted, ""},
}

// Quit, the loss of the connection, and within a message abort end a pending
// answer, also behind packets that wait. Nothing is written for it.
func TestPreempt(t *testing.T) {
	for _, at := range pendingAt {
		for _, end := range endings {
			if end.name == "abort" && at.state == "" {
				continue
			}
			t.Run(at.kind.String()+"/"+at.state+"/"+end.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var h held
					takes := handlers.Of(at.kind, handlers.KindAbort, handlers.KindFinished, handlers.KindMessageProcessed)
					p := newProbe(t, Config{}, takes, replies{at.kind: h.reply})
					p.feed(at.script)
					p.events()
					end.do(p)
					want(t, "written", p.settled(), "")
					want(t, "events", p.events(), givenUp(at.state, end.last))
					if err := context.Cause(h.ctx); !errors.Is(err, end.cause) {
						t.Errorf("cause %v", err)
					}
					if err := h.resolve(handlers.Accept); !errors.Is(err, end.cause) && !errors.Is(err, handlers.ErrStaleResponse) {
						t.Errorf("late resolve: %v", err)
					}
					want(t, "written late", p.settled(), "")
				})
			})
		}
	}
}

// givenUp returns what is told when an event in a state is given up.
func givenUp(state, last string) string {
	if state == "" {
		return last
	}
	return strings.TrimSpace("abort(" + state + ") message-processed(abort) " + last)
}

// Outside a message an abort is nothing: it waits its turn.
func TestPreemptAbortWaits(t *testing.T) {
	for _, at := range pendingAt {
		if at.state != "" {
			continue
		}
		t.Run(at.kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h held
				p := newProbe(t, Config{}, handlers.Of(at.kind, handlers.KindAbort), replies{at.kind: h.reply})
				p.feed(at.script)
				want(t, "while pending", p.feed("A M"), "")
				if err := h.resolve(handlers.Reply{}); err != nil {
					t.Error(err)
				}
				if got := p.settled(); len(got) != 2 {
					t.Errorf("answers %q", got)
				}
				want(t, "events", p.events(), at.kind.String())
			})
		})
	}
}

// After an abort the session goes on with what came behind it; what came before it
// belonged to the message.
func TestPreemptGoesOn(t *testing.T) {
	tests := []struct{ name, behind, want, events string }{
		{"next message", "T A M R", "cc", "abort(envelope-recipient) envelope-from envelope-recipient"},
		{"twice", "T A A U", "c", "abort(envelope-recipient) unknown"},
		{"quit behind", "T A Q", "", "abort(envelope-recipient) finished"},
		{"another client", "T K H", "c", "abort(envelope-recipient) finished helo"},
		{"two clients", "K K M", "c", "abort(envelope-recipient) finished finished envelope-from"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := new(held)
				first := true
				p := newProbe(t, Config{}, brief, replies{
					handlers.KindEnvelopeRecipient: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
						if !first {
							return handlers.Continue
						}
						first = false
						return h.reply(s, ev)
					},
				})
				p.feed("O M R")
				p.events()
				want(t, "answers", p.feed(tt.behind), tt.want)
				want(t, "events", p.events(), tt.events)
			})
		})
	}
}
