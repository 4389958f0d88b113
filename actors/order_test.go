package actors

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// answersOf returns a reply for every kind with an answer.
func answersOf(f func(*handlers.Session, handlers.Event) handlers.Reply) replies {
	r := make(replies)
	for k := handlers.KindEstablished; k <= handlers.KindFinished; k++ {
		if answerable.Has(k) {
			r[k] = f
		}
	}
	return r
}

// lines writes each event of a list on a line of its own.
func lines(events string) string { return strings.ReplaceAll(events, " ", "\n") }

// Whoever answers, and wherever, events come in the same order and the same is
// answered, in one write for each read where nothing is waited for.
func TestOrder(t *testing.T) {
	const script = "O DC C DH H DM M DR R DR R2 DT T DL L DN N DB B B DE E Q"
	const told = "connection-established negotiate response(negotiate,all-options) " +
		"define-macro(C) connect response(connect,continue) define-macro(H) helo response(helo,continue) " +
		"define-macro(M) envelope-from response(envelope-from,continue) " +
		"define-macro(R) envelope-recipient response(envelope-recipient,continue) " +
		"define-macro(R) envelope-recipient response(envelope-recipient,continue) " +
		"define-macro(T) data response(data,continue) define-macro(L) header response(header,continue) " +
		"define-macro(N) end-of-header response(end-of-header,continue) " +
		"define-macro(B) body response(body,continue) body response(body,continue) " +
		"define-macro(E) end-of-message response(end-of-message,continue) message-processed(continue) finished"
	tests := []struct {
		name    string
		replies replies
		writes  int
	}{
		{"inline", nil, 1},
		{"async", answersOf(func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Async(func(ctx context.Context) handlers.Reply { return handlers.Reply{} })
		}), 0},
		{"progress", answersOf(func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) { _ = resolve(handlers.Reply{}) })
		}), 0},
		{"later", answersOf(func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
				time.AfterFunc(time.Second, func() { _ = resolve(handlers.Reply{}) })
			})
		}), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, everything, tt.replies)
				if tt.writes == 0 { // a quit would not wait for the answers
					codes := p.feed(strings.TrimSuffix(script, " Q")) + p.after(time.Minute)
					want(t, "answers", codes+p.feed("Q"), "Occccccccccc")
				} else {
					want(t, "answers", p.feed(script), "Occccccccccc")
				}
				want(t, "events", lines(p.events()), lines(told))
				if n := p.Writes(); tt.writes > 0 && n != tt.writes {
					t.Errorf("%d writes", n)
				}
			})
		})
	}
}

// Blocking, too, keeps the order, also of events without an answer.
func TestOrderBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{t: t, wants: handlers.Wants{Events: everything, Replies: answerable}}
		p.start(Config{}, handlers.Shared(handlers.Blocking(p)))
		want(t, "answers", p.feed("O C M DR R DE E"), "Occcc")
		want(t, "answers", p.feed("M A U"), "c")
		p.feed("Q")
		want(t, "events", lines(p.events()), lines("connection-established negotiate response(negotiate,all-options) "+
			"connect response(connect,continue) envelope-from response(envelope-from,continue) "+
			"define-macro(R) envelope-recipient response(envelope-recipient,continue) "+
			"define-macro(E) end-of-message response(end-of-message,continue) message-processed(continue) "+
			"envelope-from abort(envelope-from) response(abort,abort,silent) message-processed(abort) "+
			"unknown response(unknown,continue) finished"))
		if s := p.Session(); s.State() != protocol.StateFinished || s.LastState() != protocol.StateUnknown {
			t.Errorf("state %v, last %v", s.State(), s.LastState())
		}
	})
}

// What a message was is known when it has ended, and forgotten after that.
func TestOrderResult(t *testing.T) {
	var result, before *handlers.Result
	var id string
	var writes int
	var p *probe
	r := replies{
		handlers.KindEnvelopeRecipient: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
			before = s.Result()
			s.Shelf().Set("key", 1)
			if string(ev.(*protocol.RcptTo).Addr) == "<c@example.net>" {
				return handlers.Reject
			}
			return handlers.Reply{}
		},
		handlers.KindMessageProcessed: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
			result, id, writes = ev.(*handlers.Result), s.Macro("i"), p.writes
			if _, ok := s.Shelf().Get("key"); !ok {
				t.Error("the shelf is empty before the end of the message")
			}
			return handlers.Reply{}
		},
	}
	synctest.Test(t, func(t *testing.T) {
		p = newProbe(t, Config{}, everything, r)
		p.feed("O M R R2 L B B")
		time.Sleep(time.Second)
		p.feed("DE E")
		if n := p.Writes(); n != writes {
			t.Errorf("told after %d writes of %d", writes, n)
		}
		if before.From != "<a@example.com>" || before.Status != protocol.StatusContinue {
			t.Errorf("at the recipient: %+v", before)
		}
		if id != "QE" || result.BodySize != 14 || result.Elapsed() != time.Second || len(result.Headers) != 1 ||
			len(result.Recipients) != 1 || len(result.Rejected) != 1 || result.State != protocol.StateEndOfMessageReplied {
			t.Errorf("id %q, result %+v", id, result)
		}
		if s := p.Session(); s.Macro("i") != "" || s.Result() != nil || len(s.Shelf().Map()) != 0 {
			t.Errorf("after the message: macro %q, result %v", s.Macro("i"), s.Result())
		}
	})
}

// A verdict ends a message, and what the MTA still sends of it gets the same.
func TestOrderVerdict(t *testing.T) {
	tests := []struct {
		name   string
		kind   handlers.Kind
		reply  handlers.Reply
		in     string
		want   string
		events string
	}{
		{"mail", handlers.KindEnvelopeFrom, handlers.Reject, "O M R T M", "Orrrr", "envelope-from envelope-from"},
		{
			"recipient", handlers.KindEnvelopeRecipient, handlers.TempFail, "O M R R T", "Octtc",
			"envelope-from envelope-recipient envelope-recipient data",
		},
		{
			"accept at recipient", handlers.KindEnvelopeRecipient, handlers.Accept, "O M R T E", "Ocaaa",
			"envelope-from envelope-recipient",
		},
		{"discard", handlers.KindHeader, handlers.Discard, "O M L N B E", "Ocdddd", "envelope-from header"},
		{
			"unknown", handlers.KindUnknown, handlers.Reject.With(502, "", "no"), "O M U R", "Ocyc",
			"envelope-from unknown envelope-recipient",
		},
		{"connect", handlers.KindConnect, handlers.Reject, "O C H M", "Orcc", "connect helo envelope-from"},
		{
			"forgotten", handlers.KindEnvelopeFrom, handlers.Reject, "O M A U R", "Orc",
			"envelope-from unknown error(none,sequence) finished(sequence)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, brief, replies{tt.kind: always(tt.reply)})
				want(t, "answers", p.feed(tt.in), tt.want)
				want(t, "events", p.events(), "negotiate "+tt.events)
			})
		})
	}
}
