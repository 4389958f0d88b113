package handlers_test

import (
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// kinds has every kind of event, what it is told with, and its word.
var kinds = []struct {
	kind  handlers.Kind
	event handlers.Event
	word  string
}{
	{handlers.KindEstablished, (*handlers.Established)(nil), "connection-established"},
	{handlers.KindNegotiate, (*handlers.Negotiation)(nil), "negotiate"},
	{handlers.KindMacro, (*protocol.Macro)(nil), "define-macro"},
	{handlers.KindConnect, (*protocol.Connect)(nil), "connect"},
	{handlers.KindHelo, (*protocol.Helo)(nil), "helo"},
	{handlers.KindEnvelopeFrom, (*protocol.MailFrom)(nil), "envelope-from"},
	{handlers.KindEnvelopeRecipient, (*protocol.RcptTo)(nil), "envelope-recipient"},
	{handlers.KindData, (*protocol.Data)(nil), "data"},
	{handlers.KindHeader, (*protocol.Header)(nil), "header"},
	{handlers.KindEndOfHeader, (*protocol.EndOfHeader)(nil), "end-of-header"},
	{handlers.KindBody, (*protocol.Body)(nil), "body"},
	{handlers.KindEndOfMessage, (*handlers.Message)(nil), "end-of-message"},
	{handlers.KindUnknown, (*protocol.Unknown)(nil), "unknown"},
	{handlers.KindAbort, (*handlers.Abort)(nil), "abort"},
	{handlers.KindResponse, (*handlers.Response)(nil), "response"},
	{handlers.KindMessageProcessed, (*handlers.Result)(nil), "message-processed"},
	{handlers.KindTimeout, (*handlers.Timeout)(nil), "timeout"},
	{handlers.KindError, (*handlers.Failure)(nil), "error"},
	{handlers.KindFinished, (*handlers.Finished)(nil), "finished"},
}

func TestKindOf(t *testing.T) {
	for i, k := range kinds {
		if int(k.kind) != i+1 {
			t.Errorf("%v is number %d, want %d", k.kind, k.kind, i+1)
		}
		if got := handlers.KindOf(k.event); got != k.kind {
			t.Errorf("KindOf(%T) = %v, want %v", k.event, got, k.kind)
		}
		if got := k.kind.String(); got != k.word {
			t.Errorf("kind %d is called %q, want %q", k.kind, got, k.word)
		}
	}
	for _, ev := range []handlers.Event{nil, 1, handlers.Finished{}, &protocol.Quit{}, &protocol.Negotiate{}, &protocol.EndOfMessage{}} {
		if got := handlers.KindOf(ev); got != 0 {
			t.Errorf("KindOf(%T) = %v, want none", ev, got)
		}
	}
	for _, k := range []handlers.Kind{0, handlers.KindFinished + 1, 255} {
		if got := k.String(); got != "none" {
			t.Errorf("kind %d is called %q", k, got)
		}
	}
}

func TestUnanswered(t *testing.T) {
	var words []string
	for _, k := range kinds {
		if handlers.Unanswered.Has(k.kind) {
			words = append(words, k.word)
		}
	}
	const want = "connection-established define-macro response message-processed timeout error finished"
	if got := strings.Join(words, " "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestKindFor(t *testing.T) {
	n := 0
	for code := range 256 {
		c := protocol.Code(code)
		kind := handlers.KindFor(c)
		switch {
		case c == protocol.CodeQuit || c == protocol.CodeQuitNewConnection || !c.IsCommand():
			if kind != 0 {
				t.Errorf("KindFor(%v) = %v, want none", c, kind)
			}
		case kind.String() != c.String():
			t.Errorf("KindFor(%v) = %v", c, kind)
		default:
			n++
		}
	}
	if n != 13 {
		t.Errorf("%d commands are events, want 13", n)
	}
}

func TestKinds(t *testing.T) {
	set := handlers.Of(handlers.KindEstablished, handlers.KindBody, handlers.KindFinished)
	for _, k := range kinds {
		want := k.kind == handlers.KindEstablished || k.kind == handlers.KindBody || k.kind == handlers.KindFinished
		if set.Has(k.kind) != want {
			t.Errorf("Has(%v) = %v, want %v", k.kind, !want, want)
		}
	}
	if handlers.Of() != 0 {
		t.Error("the set of nothing is not empty")
	}
}
