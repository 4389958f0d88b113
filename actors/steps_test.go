package actors

import (
	"context"
	"testing"
	"testing/synctest"

	"millstream/handlers"
	"millstream/protocol"
)

// asking returns a negotiate handler that asks for more steps.
func asking(steps protocol.Steps) func(*handlers.Session, handlers.Event) handlers.Reply {
	return func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
		n := ev.(*handlers.Negotiation)
		n.SetSteps(n.Steps() | steps)
		return handlers.Continue
	}
}

// Where no answer is waited for none is written, whatever a handler says.
func TestNoReply(t *testing.T) {
	async := func(*handlers.Session, handlers.Event) handlers.Reply {
		return handlers.Async(func(context.Context) handlers.Reply { return handlers.Continue })
	}
	boom := func(*handlers.Session, handlers.Event) handlers.Reply { panic("boom") }
	tests := []struct {
		name   string
		reply  func(*handlers.Session, handlers.Event) handlers.Reply
		events string
	}{
		{"continue", always(handlers.Continue), "response(header,continue,silent)"},
		{"no reply", always(handlers.NoReply), "response(header,no-reply,silent)"},
		{"no opinion", nil, "response(header,continue,silent)"},
		{"pending", async, "response(header,continue,silent)"},
		{"reject", always(handlers.Reject), "error(header,status) response(header,continue,silent)"},
		{"panic", boom, "error(header,panic) response(header,continue,silent)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				takes := everything &^ handlers.Of(handlers.KindEstablished, handlers.KindMacro)
				p := newProbe(t, Config{}, takes, replies{
					handlers.KindNegotiate: asking(protocol.StepNoReplyHeader), handlers.KindHeader: tt.reply,
				})
				p.feed("O M")
				p.events()
				want(t, "answers", p.feed("L L N"), "c")
				got := p.events()
				want(t, "events", got, "header "+tt.events+" header "+tt.events+" end-of-header response(end-of-header,continue)")
			})
		})
	}
}

// An MTA that cannot do without an answer gets one where nobody has another.
func TestNoReplyMadeUp(t *testing.T) {
	tests := []struct {
		name  string
		reply handlers.Reply
		want  string
	}{
		{"continue", handlers.Continue, "c"},
		{"no reply", handlers.NoReply, "c"},
		{"reject", handlers.Reject, "r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, brief, replies{
					handlers.KindNegotiate: asking(protocol.StepNoReplyHeader | protocol.StepNoReplyBody), handlers.KindHeader: always(tt.reply),
				})
				p.feed("O2 M")
				p.events()
				want(t, "answer", p.feed("L"), tt.want)
				want(t, "events", p.events(), "header")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // nobody answers header and body
		p := &probe{t: t, wants: handlers.Wants{
			Events:  handlers.Of(handlers.KindHeader, handlers.KindBody, handlers.KindEndOfMessage),
			Replies: handlers.Of(handlers.KindEndOfMessage),
		}}
		p.start(Config{}, handlers.Shared(p))
		want(t, "answers", p.feed("O2 M L B E"), "Occcc")
		want(t, "events", p.events(), "header body end-of-message")
	})
}

// Steps that nobody takes may come all the same: they are answered, and nobody is
// told. Envelope-from cannot be left out, but need not be answered.
func TestNoEvent(t *testing.T) {
	for script, wanted := range map[string]string{
		"O C H M R T L N B U E":  "Occccccccc",
		"O2 C H M R T L N B U E": "Occcccccccc",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newProbe(t, Config{}, handlers.Of(handlers.KindEndOfMessage), nil)
			want(t, "answers", p.feed(script), wanted)
			want(t, "events", p.events(), "end-of-message")
		})
	}
}

// Without envelope-from a message begins with what comes first.
func TestNoMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, brief|handlers.Of(handlers.KindMessageProcessed),
			replies{handlers.KindNegotiate: asking(protocol.StepNoMail)})
		want(t, "answers", p.feed("O DR R R L E R A"), "Occccc")
		want(t, "events", p.events(), "negotiate envelope-recipient envelope-recipient header end-of-message "+
			"message-processed(continue) envelope-recipient abort(envelope-recipient-replied) message-processed(abort)")
	})
}

// Who skips the body is not told more of it, whether the MTA stops sending or not.
func TestSkip(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"granted", "O M B B B E1", "Ocsccc"},
		{"not offered", "O2 M B B B E1", "Occccc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var result *handlers.Result
				p := newProbe(t, Config{SplitFinalChunk: true}, brief|handlers.Of(handlers.KindMessageProcessed), replies{
					handlers.KindBody: always(handlers.Skip),
					handlers.KindMessageProcessed: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
						result = ev.(*handlers.Result)
						return handlers.Reply{}
					},
				})
				want(t, "answers", p.feed(tt.script), tt.want)
				want(t, "events", p.events(), "negotiate envelope-from body end-of-message message-processed(continue)")
				if result.BodySize != 3*7+6 {
					t.Errorf("body of %d bytes", result.BodySize)
				}
				want(t, "next message", p.feed("M B A"), tt.want[1:3])
				want(t, "events", p.events(), "envelope-from body abort(body-replied) message-processed(abort)")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, brief, replies{
			handlers.KindNegotiate: asking(protocol.StepNoReplyBody), handlers.KindBody: always(handlers.Skip),
		})
		want(t, "not answered", p.feed("O M B B E"), "Occ")
		want(t, "events", p.events(), "negotiate envelope-from body end-of-message")
	})
}

// Sendmail tells of recipients that it refuses itself, if asked.
func TestRcptRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused []bool
		p := newProbe(t, Config{}, brief, replies{
			handlers.KindNegotiate: asking(protocol.StepRcptRejected),
			handlers.KindEnvelopeRecipient: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
				refused = append(refused, s.RcptRefused())
				return handlers.Reply{}
			},
		})
		p.feed("O M")
		_ = p.Feed(protocol.NewMacro(protocol.CodeRcptTo, "rcpt_mailer", "error").Append(nil))
		p.feed("R DR R2")
		r := p.Session().Result()
		if len(refused) != 2 || !refused[0] || refused[1] || len(r.Rejected) != 1 || len(r.Recipients) != 1 {
			t.Errorf("refused %v, result %+v", refused, r)
		}
	})
}
