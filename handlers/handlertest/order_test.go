package handlertest_test

import (
	"errors"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

var errLost = errors.New("connection reset")

// A step is an event, and what the handler is then told of.
type step struct {
	do   handlers.Event
	want string
}

var orderTests = []struct {
	name    string
	handler func(j *journal) handlers.Handler
	steps   []step
}{
	{"message", func(j *journal) handlers.Handler {
		return handlers.Chain(noting[*protocol.Header](j, handlers.Continue),
			noting[*handlers.Message](j, handlers.Accept))
	}, []step{
		{&protocol.Negotiate{Offer: everything}, "response negotiate all-options"},
		{protocol.NewMacro(protocol.CodeMailFrom, "i", "Q"), "macro envelope-from"},
		{mail("<a@example.com>"), "response envelope-from continue silent"},
		{header("Subject", "hi"), "header, response header continue"},
		{&protocol.EndOfMessage{}, "end-of-message, response end-of-message accept, result accept in end-of-message-replied"},
		{&protocol.Abort{}, ""}, // of no message
		{&protocol.Quit{}, "finished: <nil>"},
	}},
	{"a verdict ends the message", func(j *journal) handlers.Handler {
		return noting[*protocol.MailFrom](j, handlers.Reject)
	}, []step{
		{mail("<a@example.com>"), "envelope-from, response envelope-from reject, result reject in envelope-from-replied"},
		{rcpt("<b@example.net>"), ""}, // answered the same way, without an event
		{mail("<a@example.com>"), "envelope-from, response envelope-from reject, result reject in envelope-from-replied"},
	}},
	{"abort", func(j *journal) handlers.Handler {
		return noting[*protocol.Body](j, handlers.Continue)
	}, []step{
		{mail("<a@example.com>"), "response envelope-from continue silent"},
		{&protocol.Body{Chunk: view("x")}, "body, response body continue"},
		{&protocol.Abort{}, "abort in body-replied: <nil>, response abort abort silent, result abort in body-replied"},
	}},
	{"the next message gives up the last", func(j *journal) handlers.Handler {
		return noting[*protocol.MailFrom](j, handlers.Continue)
	}, []step{
		{mail("<a@example.com>"), "envelope-from, response envelope-from continue"},
		{mail("<b@example.com>"), "abort in envelope-from-replied: <nil>, response abort abort silent, " +
			"result abort in envelope-from-replied, envelope-from, response envelope-from continue"},
		{&protocol.Quit{}, "abort in envelope-from-replied: <nil>, response abort abort silent, " +
			"result abort in envelope-from-replied, finished: <nil>"},
	}},
	{"failures come before the response", func(j *journal) handlers.Handler {
		return noting[*protocol.MailFrom](j, handlers.Skip)
	}, []step{
		{
			mail("<a@example.com>"),
			"envelope-from, failure in envelope-from: milter: status not allowed: skip to envelope-from, " +
				"response envelope-from tempfail, result tempfail in envelope-from-replied",
		},
	}},
	{"a failing observer", func(*journal) handlers.Handler {
		return handlers.Observe(func(_ *handlers.Session, r *handlers.Response) { panic(r.To.String()) })
	}, []step{
		{
			mail("<a@example.com>"),
			"response envelope-from continue silent, failure in response: panic envelope-from",
		},
	}},
	{"time-out", func(j *journal) handlers.Handler { return noting[*protocol.MailFrom](j, handlers.Continue) }, []step{
		{mail("<a@example.com>"), "envelope-from, response envelope-from continue"},
		{&handlers.Timeout{}, "failure in none: milter: timeout, timeout, " +
			"abort in envelope-from-replied: milter: timeout, response abort abort silent, " +
			"result abort in envelope-from-replied, finished: milter: timeout"},
	}},
	{"loss of the connection", func(j *journal) handlers.Handler {
		return noting[*protocol.MailFrom](j, handlers.Continue)
	}, []step{
		{mail("<a@example.com>"), "envelope-from, response envelope-from continue"},
		{&handlers.Finished{Err: errLost}, "failure in none: connection reset, " +
			"abort in envelope-from-replied: connection reset, response abort abort silent, " +
			"result abort in envelope-from-replied, finished: connection reset"},
	}},
	{"abort for a reason", func(j *journal) handlers.Handler {
		return noting[*protocol.MailFrom](j, handlers.Continue)
	}, []step{
		{mail("<a@example.com>"), "envelope-from, response envelope-from continue"},
		{&handlers.Abort{Err: errLost}, "abort in envelope-from-replied: connection reset, response abort abort silent, " +
			"result abort in envelope-from-replied"},
	}},
	{"another client", func(j *journal) handlers.Handler { return noting[*protocol.Helo](j, handlers.Continue) }, []step{
		{&protocol.QuitNewConnection{}, "finished: <nil>, established"},
		{&protocol.Helo{Name: view("x")}, "helo, response helo continue"},
	}},
	{"refused", func(j *journal) handlers.Handler { return noting[*handlers.Negotiation](j, handlers.Reject) }, []step{
		{&protocol.Negotiate{Offer: everything}, "negotiate, response negotiate reject, finished: <nil>"},
	}},
	{"too old", func(j *journal) handlers.Handler { return noting[*protocol.Helo](j, handlers.Continue) }, []step{
		{
			&protocol.Negotiate{Offer: protocol.Options{Version: 1}},
			"failure in negotiate: milter: negotiation failed: protocol version too old: 1, " +
				"finished: milter: negotiation failed: protocol version too old: 1",
		},
	}},
	{"events that are only told", func(*journal) handlers.Handler { return handlers.Need(handlers.KindHelo) }, []step{
		{&handlers.Established{}, "established"},
		{&handlers.Failure{During: handlers.KindHelo, Err: errLost}, "failure in helo: connection reset"},
		{&handlers.Response{To: handlers.KindHelo}, "response helo default"},
		{&handlers.Result{}, "result default in invalid"},
	}},
}

// The handler is told of everything in the order in which a session tells it.
func TestOrder(t *testing.T) {
	for _, tt := range orderTests {
		t.Run(tt.name, func(t *testing.T) {
			var j journal
			s := handlertest.New(t, handlers.Chain(tt.handler(&j), j.observer()))
			if got := j.take(); got != "established" {
				t.Errorf("at first: %s", got)
			}
			if _, ok := tt.steps[0].do.(*protocol.Negotiate); !ok {
				s.Machine() // negotiates
				j.take()
			}
			for _, step := range tt.steps {
				s.Do(step.do)
				if got := j.take(); got != step.want {
					t.Errorf("%T:\n got %s\nwant %s", step.do, got, step.want)
				}
			}
		})
	}
}

var everything = protocol.Options{
	Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll,
}

func TestEventsNotTaken(t *testing.T) {
	var j journal
	s := handlertest.New(t, noting[*protocol.Helo](&j, handlers.Continue))
	s.Macros(protocol.CodeConnect, "j", "mx.example.org")
	out := s.Do(&protocol.Connect{Host: view("client.example")})
	if out.Status != protocol.StatusContinue || codes(t, out) != "c" {
		t.Errorf("connect: %v, written %q; want continue for an MTA that sends it all the same", out.Status, out.Packets)
	}
	s.Do(&handlers.Failure{})
	if got := j.take(); got != "" {
		t.Errorf("the handler was told of %s", got)
	}
	if host, _ := s.Control().Session().Client(); host != "client.example" {
		t.Errorf("client is %q", host)
	}
	if got := s.Control().Session().Macro("j"); got != "mx.example.org" {
		t.Errorf("macro j is %q", got)
	}
}
