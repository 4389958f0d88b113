package actors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A piece of the body that comes with the end of a message is told with it, or by
// itself before it, as configured.
func TestSplitFinalChunk(t *testing.T) {
	async := func(r handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
		return func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply { return r })
		}
	}
	both := handlers.Of(handlers.KindBody, handlers.KindEndOfMessage)
	body := handlers.Of(handlers.KindBody)
	tests := []struct {
		name   string
		split  bool
		takes  handlers.Kinds
		body   func(*handlers.Session, handlers.Event) handlers.Reply
		end    string
		want   string
		events string
		chunk  string // at the end of the message
	}{
		{"together", false, both, nil, "E1", "c", "end-of-message response(end-of-message,continue)", "tail\r\n"},
		{"apart", true, both, nil, "E1", "c", "body end-of-message response(end-of-message,continue)", ""},
		{"nothing to split", true, both, nil, "E", "c", "end-of-message response(end-of-message,continue)", ""},
		{"later", true, both, async(handlers.Continue), "E1", "c", "body end-of-message response(end-of-message,continue)", ""},
		{"verdict", true, both, always(handlers.Accept), "E1", "a", "body response(end-of-message,accept)", ""},
		{"text", true, both, async(handlers.Reject.With(550, "", "no")), "E1", "y", "body response(end-of-message,reject)", ""},
		{"skip is no verdict", true, both, always(handlers.Skip), "E1", "c", "body end-of-message response(end-of-message,continue)", ""},
		{
			"failure", true, both, async(handlers.Failed(handlers.ErrNull)), "E1", "t",
			"body error(end-of-message,null) response(end-of-message,tempfail)", "",
		},
		{
			"nobody takes the body", true, handlers.Of(handlers.KindEndOfMessage), nil, "E1", "c",
			"end-of-message response(end-of-message,continue)", "tail\r\n",
		},
		{"nobody takes the end", true, body, nil, "E1", "c", "body response(end-of-message,continue)", ""},
		{"nobody takes the end, not split", false, body, nil, "E1", "c", "response(end-of-message,continue)", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var chunk protocol.View
				takes := tt.takes | handlers.Of(handlers.KindResponse, handlers.KindError)
				p := newProbe(t, Config{SplitFinalChunk: tt.split}, takes, replies{
					handlers.KindBody: tt.body,
					handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
						chunk = ev.(*handlers.Message).Chunk()
						return handlers.Reply{}
					},
				})
				p.feed("O M")
				p.events()
				want(t, "answer", p.feed(tt.end), tt.want)
				want(t, "events", p.events(), tt.events)
				want(t, "chunk", string(chunk), tt.chunk)
			})
		})
	}
}

// While the piece is pending the message is: it can be given up, it has a deadline,
// and the MTA is asked to wait.
func TestSplitPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{SplitFinalChunk: true, HandlerTimeout: 12 * time.Second}, brief, replies{handlers.KindBody: h.reply})
		p.feed("O M E1")
		p.events()
		want(t, "abort", p.feed("A M"), "c")
		want(t, "events", p.events(), "abort(end-of-message) envelope-from")
		want(t, "deadline", p.feed("E1")+p.after(13*time.Second), "ppt")
		want(t, "events", p.events(), "body error(end-of-message,timeout)")
		want(t, "next", p.feed("M E"), "cc")
		want(t, "events", p.events(), "envelope-from end-of-message")
	})
}
