package handlers_test

import (
	"context"
	"errors"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// verbs checks what each verb makes of a function of E.
func verbs[E handlers.Answered](t *testing.T, ev E) {
	t.Helper()
	kind := handlers.KindOf(ev)
	calls := 0
	f := func(_ *handlers.Session, got E) handlers.Reply {
		calls++
		return handlers.Continue
	}
	both := handlers.Wants{Events: handlers.Of(kind), Replies: handlers.Of(kind)}
	for _, h := range []handlers.Handler{handlers.On(f), handlers.Go(f), handlers.Blocking(handlers.On(f))} {
		if got := h.Wants(); got != both {
			t.Errorf("%v: wants %v, want %v", kind, got, both)
		}
		if r := ask(newControl(), h, ev); r.Status() != protocol.StatusContinue || calls != 1 {
			t.Errorf("%v: %v after %d calls", kind, r.Status(), calls)
		}
		if r := ask(newControl(), h, &handlers.Established{}); r.Status() != protocol.StatusDefault || calls != 1 {
			t.Errorf("%v: %v to another event, after %d calls", kind, r.Status(), calls)
		}
		calls = 0
	}
	observes(t, ev)
}

// observes checks what Observe makes of a function of E.
func observes[E handlers.Observed](t *testing.T, ev E) {
	t.Helper()
	kind := handlers.KindOf(ev)
	calls := 0
	h := handlers.Observe(func(*handlers.Session, E) { calls++ })
	if got, want := h.Wants(), (handlers.Wants{Events: handlers.Of(kind)}); got != want {
		t.Errorf("%v: Observe wants %v, want %v", kind, got, want)
	}
	if r := ask(newControl(), h, ev); r.Status() != protocol.StatusDefault || calls != 1 {
		t.Errorf("%v: Observe answers %v after %d calls", kind, r.Status(), calls)
	}
	if ask(newControl(), h, nil); calls != 1 {
		t.Errorf("%v: Observe is told of another event", kind)
	}
	blocking := handlers.Blocking(h)
	if got, want := blocking.Wants(), (handlers.Wants{Events: handlers.Of(kind), Replies: handlers.Of(kind)}); got != want {
		t.Errorf("%v: Blocking(Observe) wants %v, want %v", kind, got, want)
	}
	if ask(newControl(), blocking, ev); calls != 2 {
		t.Errorf("%v: Blocking(Observe) is not told", kind)
	}
}

func TestVerbs(t *testing.T) {
	c := newControl()
	verbs(t, c.Negotiation(offer, protocol.Request{}))
	verbs(t, &protocol.Connect{})
	verbs(t, &protocol.Helo{})
	verbs(t, &protocol.MailFrom{})
	verbs(t, &protocol.RcptTo{})
	verbs(t, &protocol.Data{})
	verbs(t, &protocol.Header{})
	verbs(t, &protocol.EndOfHeader{})
	verbs(t, &protocol.Body{})
	verbs(t, &protocol.Unknown{})
	verbs(t, c.Message(nil, discard{}, nil))
	verbs(t, &handlers.Abort{})
	observes(t, &protocol.Macro{})
	observes(t, &handlers.Established{})
	observes(t, &handlers.Response{})
	observes(t, &handlers.Result{})
	observes(t, &handlers.Timeout{})
	observes(t, &handlers.Failure{})
	observes(t, &handlers.Finished{})
}

func TestNil(t *testing.T) {
	var on func(*handlers.Session, *protocol.Helo) handlers.Reply
	var observe func(*handlers.Session, *protocol.Helo)
	around := handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		return next.Handle(s, ev)
	})
	for name, f := range map[string]func(){
		"On":         func() { handlers.On(on) },
		"Go":         func() { handlers.Go(on) },
		"Observe":    func() { handlers.Observe(observe) },
		"Blocking":   func() { handlers.Blocking(nil) },
		"Chain":      func() { handlers.Chain(handlers.Need(), nil) },
		"Around":     func() { handlers.Around(nil) },
		"Middleware": func() { around(nil) },
	} {
		if err, _ := panics(f).(error); !errors.Is(err, handlers.ErrNull) {
			t.Errorf("%s of nothing panics with %v, want ErrNull", name, err)
		}
	}
	for name, r := range map[string]handlers.Reply{"Async": handlers.Async(nil), "Progress": handlers.Progress(nil)} {
		if !r.Failed() || !errors.Is(r.Err(), handlers.ErrNull) {
			t.Errorf("%s of nothing is %v with error %v, want ErrNull", name, r.Status(), r.Err())
		}
	}
	if h := handlers.Shared(nil)(nil); h != nil {
		t.Errorf("Shared(nil) makes a handler: %v", h)
	}
}

// On runs where it is called, Go does not; the event of Go is its own.
func TestGoLeavesTheLoop(t *testing.T) {
	cmd := mail("<a@example.com>")
	c := newControl()
	s := c.Begin(context.Background())
	var got *protocol.MailFrom
	h := handlers.Go(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
		got = c
		return handlers.Accept
	})
	r := c.Call(h, s, cmd)
	if got != nil || r.Status() != protocol.StatusProgress {
		t.Fatalf("Go has answered %v at once", r.Status())
	}
	clear(cmd.Addr)
	if r = await(c, s, r); r.Status() != protocol.StatusAccept || string(got.Addr) != "<a@example.com>" {
		t.Errorf("reply %v, address %q", r.Status(), got.Addr)
	}
}

func TestShared(t *testing.T) {
	h := handlers.Need()
	f := handlers.Shared(h)
	if f(nil) != h || f(newControl().Session()) != h {
		t.Error("Shared makes other handlers")
	}
}

func TestOwn(t *testing.T) {
	cmd := body("x")
	response := &handlers.Response{To: handlers.KindBody}
	ownCmd, ownResponse := handlers.Own(cmd), handlers.Own(response)
	clear(cmd.Chunk)
	*response = handlers.Response{}
	if got := ownCmd.(*protocol.Body); string(got.Chunk) != "x" {
		t.Errorf("body is %q", got.Chunk)
	}
	if got := ownResponse.(*handlers.Response); got.To != handlers.KindBody {
		t.Errorf("response is to %v", got.To)
	}
	if finished := (&handlers.Finished{}); handlers.Own(finished) != handlers.Event(finished) {
		t.Error("an event that is owned already is copied")
	}
}

func TestAround(t *testing.T) {
	var told []string
	inner := handlers.Chain(noting[*protocol.Helo](&told, "helo", handlers.Reject),
		handlers.Go(func(*handlers.Session, *protocol.Data) handlers.Reply { return handlers.Reject }))
	around := handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		if _, ok := ev.(*protocol.RcptTo); ok {
			return handlers.Discard
		}
		return next.Handle(s, ev).Then(func(r handlers.Reply) handlers.Reply {
			told = append(told, r.Status().String())
			return handlers.Continue
		})
	})
	h := around(inner)
	if h.Wants() != inner.Wants() {
		t.Errorf("wants %v, want %v", h.Wants(), inner.Wants())
	}
	checkStatus(t, ask(newControl(), h, &protocol.Helo{}), protocol.StatusContinue)
	checkTold(t, &told, "helo", "reject")
	checkStatus(t, ask(newControl(), h, &protocol.Data{}), protocol.StatusContinue)
	checkTold(t, &told, "reject")
	checkStatus(t, ask(newControl(), h, rcpt("<x>")), protocol.StatusDiscard)
}

// A session knows of what was needed, and the one who needs it is told nothing.
func TestNeed(t *testing.T) {
	var to []string
	s := handlertest.New(t, handlers.Chain(
		handlers.Need(handlers.KindEnvelopeRecipient, handlers.KindConnect),
		handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
			to = s.Result().Recipients
			return handlers.Continue
		}),
	))
	steps := s.Control().Facts().Options.Steps
	if steps.Has(protocol.StepNoRcpt) || steps.Has(protocol.StepNoConnect) || !steps.Has(protocol.StepNoHeaders) {
		t.Errorf("steps %v", steps)
	}
	if !steps.Has(protocol.StepNoReplyRcpt | protocol.StepNoReplyConnect) {
		t.Errorf("the MTA waits for what nobody answers: %v", steps)
	}
	s.Send(handlertest.Mail{To: []string{"<a>", "<b>"}})
	if len(to) != 2 {
		t.Errorf("recipients %v", to)
	}
}
