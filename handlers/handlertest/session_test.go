package handlertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

func TestBorrowedBytesAreOverwritten(t *testing.T) {
	var addr, kept, late, owned, text protocol.View
	var response *handlers.Response
	s := handlertest.New(t, handlers.Chain(
		handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
			kept, addr = c.Addr, c.Addr.Clone()
			return handlers.Continue
		}),
		handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				late = c.Addr.Clone()
				return handlers.Continue
			})
		}),
		handlers.Go(func(_ *handlers.Session, c *protocol.Data) handlers.Reply { return handlers.Continue }),
		handlers.Go(func(_ *handlers.Session, h *protocol.Header) handlers.Reply {
			owned = h.Value
			return handlers.Continue
		}),
		handlers.Observe(func(_ *handlers.Session, m *protocol.Macro) {
			for _, value := range m.All() {
				text = value
			}
		}),
		handlers.Observe(func(_ *handlers.Session, r *handlers.Response) { response = r }),
	))
	sent := mail("<a@example.com>")
	s.Macros(protocol.CodeMailFrom, "i", "Q1")
	s.Do(sent)
	s.Do(rcpt("<b@example.net>"))
	s.Do(header("Subject", "hi"))
	tests := []struct {
		name string
		got  protocol.View
		want string
	}{
		{"kept", kept, strings.Repeat("?", len("<a@example.com>"))},
		{"cloned", addr, "<a@example.com>"},
		{"used by Async", late, strings.Repeat("?", len("<b@example.net>"))},
		{"given to Go", owned, "hi"},
		{"of a macro", text, "??"},
		{"of the test", sent.Addr, "<a@example.com>"},
	}
	for _, tt := range tests {
		if string(tt.got) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	if *response != (handlers.Response{}) {
		t.Errorf("a response that was kept is still %+v", response)
	}
}

func TestWhatFailsTheTest(t *testing.T) {
	everyone := answering[*protocol.RcptTo](handlers.Continue)
	tests := []struct {
		name  string
		f     func(*handlertest.Session)
		parts []string
	}{
		{"out of order", func(s *handlertest.Session) { s.Do(rcpt("<a@example.com>")) }, []string{
			"out of order", "envelope-recipient in state negotiate-replied",
		}},
		{"twice", func(s *handlertest.Session) { s.Machine(); _, _ = s.Negotiate(everything) }, []string{
			"negotiate in state negotiate-replied",
		}},
		{"after the end", func(s *handlertest.Session) { s.Close(); s.Do(mail("<>")) }, []string{
			"*protocol.MailFrom after the end",
		}},
		{"no such packet", func(s *handlertest.Session) { s.Do(header("", "x")) }, []string{"no MTA sends this"}},
		{"no such address", func(s *handlertest.Session) {
			s.Do(&protocol.Connect{Addr: protocol.Addr{Path: "/run/mta.sock"}})
		}, []string{"no MTA sends this", "/run/mta.sock", "family"}},
		{"abort without a message", func(s *handlertest.Session) { s.Do(&handlers.Abort{}) }, []string{
			"abort without a message",
		}},
		{"made by the session", func(s *handlertest.Session) { s.Do(&handlers.Message{}) }, []string{
			"*handlers.Message is no event",
		}},
		{"nothing", func(s *handlertest.Session) { s.Do(nil) }, []string{"<nil> is no event"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fails(t, func(tb testing.TB) { tt.f(handlertest.New(tb, everyone)) }, tt.parts...)
		})
	}
	t.Run("refused without being asked", func(t *testing.T) {
		fails(t, func(tb testing.TB) {
			handlertest.New(tb, answering[*handlers.Negotiation](handlers.Reject)).Do(mail("<>"))
		}, "the handler refused")
	})
	t.Run("no handler", func(t *testing.T) {
		fails(t, func(tb testing.TB) { handlertest.New(tb, nil).Do(mail("<>")) }, "missing argument")
	})
}

func TestNegotiate(t *testing.T) {
	small := handlers.Chain(answering[*protocol.MailFrom](handlers.Continue),
		answering[*protocol.RcptTo](handlers.Continue), answering[*protocol.Header](handlers.Continue),
		answering[*handlers.Message](handlers.Continue))
	require := handlers.Observe(func(_ *handlers.Session, n *handlers.Negotiation) {
		n.Require(protocol.ActionChangeFrom)
	})
	tests := []struct {
		name    string
		handler handlers.Handler
		offer   protocol.Options
		want    protocol.Options
		err     error
		written string
	}{
		{"all", small, everything, protocol.Options{Version: 6, Actions: 0x1ff, Steps: 0x753}, nil, "O"},
		{"old", small, protocol.Options{Version: 2}, protocol.Options{Version: 2, Actions: 0x0f, Steps: 0x13}, nil, "O"},
		{"too old", small, protocol.Options{Version: 1}, protocol.Options{}, protocol.ErrVersionTooOld, ""},
		{
			"action missing",
			require,
			protocol.Options{Version: 6, Actions: 0x3f, Steps: 0x1fffff},
			protocol.Options{},
			protocol.ErrActionNotOffered,
			"r",
		},
		{
			"refused",
			answering[*handlers.Negotiation](handlers.Reject),
			everything,
			protocol.Options{},
			protocol.ErrNegotiation,
			"r",
		},
		{
			"no answer",
			answering[*handlers.Negotiation](handlers.Accept),
			everything,
			protocol.Options{},
			protocol.ErrNegotiation,
			"r",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, tt.handler)
			got, err := s.Negotiate(tt.offer)
			if got.Wire != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("agreed on %+v, error %v; want %+v, %v", got.Wire, err, tt.want, tt.err)
			}
			if (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			again := handlertest.New(t, tt.handler).Do(&protocol.Negotiate{Offer: tt.offer})
			if codes(t, again) != tt.written {
				t.Errorf("written: %q, want %q", codes(t, again), tt.written)
			}
			if refused := again.Status == protocol.StatusReject; refused != (tt.written == "r") {
				t.Errorf("status %v, written %q", again.Status, tt.written)
			}
		})
	}
}

func TestFactory(t *testing.T) {
	var j journal
	s := handlertest.NewFactory(t, func(s *handlers.Session) handlers.Handler {
		n := 0
		s.SetPrivate("x", func(v any) { j.add("destroyed %v", v) })
		return handlers.Chain(
			handlers.On(func(_ *handlers.Session, c *protocol.Helo) handlers.Reply {
				n++
				j.add("helo %d %s", n, c.Name)
				return handlers.Continue
			}),
			handlers.Observe(func(*handlers.Session, *handlers.Established) { j.add("established") }),
			handlers.Observe(func(*handlers.Session, *handlers.Finished) { j.add("finished") }),
		)
	})
	s.Do(&protocol.Helo{Name: view("a")})
	s.Do(&protocol.Helo{Name: view("b")})
	s.Do(&protocol.QuitNewConnection{})
	s.Do(&protocol.Helo{Name: view("c")})
	s.Close()
	s.Close()
	const want = "established, helo 1 a, helo 2 b, finished, destroyed x, established, helo 1 c, finished, destroyed x"
	if got := j.take(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestFactoryThatFails(t *testing.T) {
	s := handlertest.NewFactory(t, func(*handlers.Session) handlers.Handler { panic("no") })
	if errs := s.Failures(); len(errs) != 1 || !isPanic(errs[0]) {
		t.Errorf("failures %v", errs)
	}
	s = handlertest.New(t, handlers.Need())
	s.Control().Session().SetPrivate(1, func(any) { panic("no") })
	s.Close()
	if errs := s.Failures(); len(errs) != 1 || !isPanic(errs[0]) {
		t.Errorf("failures of a private value %v", errs)
	}
}

func isPanic(err error) bool {
	_, ok := errors.AsType[*handlers.PanicError](err)
	return ok
}

// The session waits for pending answers in whatever way they come.
func TestPending(t *testing.T) {
	later := func(r handlers.Reply) handlers.Reply {
		return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
			time.AfterFunc(time.Minute, func() { _ = resolve(r) })
		})
	}
	tests := []struct {
		name  string
		reply func() handlers.Reply
	}{
		{"async", func() handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				<-time.After(time.Minute)
				return handlers.Reject
			})
		}},
		{"progress", func() handlers.Reply { return later(handlers.Reject) }},
		{"resolved at once", func() handlers.Reply {
			return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) { _ = resolve(handlers.Reject) })
		}},
		{"one after the other", func() handlers.Reply {
			return later(handlers.Continue).Then(func(handlers.Reply) handlers.Reply { return later(handlers.Reject) })
		}},
		{"async of progress", func() handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply { return later(handlers.Reject) })
		}},
	}
	verbs := map[string]func(handlers.Handler) handlers.Handler{
		"on":       func(h handlers.Handler) handlers.Handler { return h },
		"blocking": handlers.Blocking,
	}
	for _, tt := range tests {
		for name, verb := range verbs {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := handlertest.New(t, verb(handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
						return tt.reply()
					})))
					if out := s.Do(mail("<a@example.com>")); out.Status != protocol.StatusReject || codes(t, out) != "r" {
						t.Errorf("%v, written %q", out.Status, out.Packets)
					}
				})
			})
		}
	}
}

func TestHandlerTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := handlertest.New(t, handlers.Go(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
			<-time.After(time.Second)
			return handlers.Reject
		}))
		s.Do(mail("<a@example.com>"))
		r := s.Results()[0]
		if r.HandlerTime != time.Second || r.Elapsed() != time.Second {
			t.Errorf("in handlers %v, in all %v; want 1s", r.HandlerTime, r.Elapsed())
		}
	})
}

// The macros of a message that gives up another one are its own, and end with it.
func TestMacrosOfTheNextMessage(t *testing.T) {
	var id string
	s := handlertest.New(t, handlers.On(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
		id = s.Macro("i")
		return handlers.Continue
	}))
	for _, want := range []string{"1", "2"} {
		s.Macros(protocol.CodeMailFrom, "i", want)
		if s.Do(mail("<a@example.com>")); id != want {
			t.Errorf("macro i is %q, want %q", id, want)
		}
	}
	s.EndOfMessage()
	if got := s.Control().Session().Macro("i"); got != "" {
		t.Errorf("macro i is %q after the message", got)
	}
}

// The context of an observer ends with its event.
func TestContextOfObserver(t *testing.T) {
	var cause func() error
	s := handlertest.New(t, handlers.Observe(func(s *handlers.Session, _ *protocol.Macro) {
		ctx := s.Context()
		cause = func() error { return context.Cause(ctx) }
	}))
	s.Macros(protocol.CodeConnect, "j", "mx.example.org")
	if err := cause(); !errors.Is(err, handlers.ErrStaleResponse) {
		t.Errorf("cause %v", err)
	}
}

func TestUpdate(t *testing.T) {
	s := handlertest.New(t, handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
		m.AddHeader("X-Peer", s.Peer().Path)
		m.ChangeFrom("<b@example.com>")
		return handlers.Continue
	}))
	s.Control().Update(func(f *handlers.Facts) {
		f.Options.Actions = protocol.ActionAddHeaders
		f.Peer = protocol.Addr{Family: protocol.FamilyUnix, Path: "/run/mta.sock"}
		f.State = protocol.StateEndOfHeaderReplied
	})
	out := s.EndOfMessage()
	if errs := s.Failures(); len(errs) != 1 || !errors.Is(errs[0], protocol.ErrInvalidAction) {
		t.Errorf("failures %v", errs)
	}
	if out.Status != protocol.StatusTempFail || codes(t, out) != "t" || out.Changes != nil {
		t.Errorf("outcome %+v", out)
	}
	if r := s.Results(); len(r) != 1 || r[0].AddedHeaders[0].Value != "/run/mta.sock" {
		t.Errorf("results %+v", r)
	}
}
