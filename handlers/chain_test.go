package handlers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

func TestChainAnswer(t *testing.T) {
	var (
		failed   = handlers.Failed(errors.New("no"))
		panicked = handlers.Async(func(context.Context) handlers.Reply { panic("no") })
	)
	tests := []struct {
		name    string
		replies []handlers.Reply
		want    protocol.Status
		asked   int
	}{
		{"nobody", nil, protocol.StatusDefault, 0},
		{"no opinion", []handlers.Reply{{}, {}}, protocol.StatusDefault, 2},
		{"no reply", []handlers.Reply{{}, handlers.NoReply, {}}, protocol.StatusNoReply, 3},
		{"continue before no reply", []handlers.Reply{handlers.Continue, handlers.NoReply}, protocol.StatusContinue, 2},
		{"continue after no reply", []handlers.Reply{handlers.NoReply, handlers.Continue, {}}, protocol.StatusContinue, 3},
		{"first verdict", []handlers.Reply{handlers.Continue, handlers.Reject, handlers.Accept}, protocol.StatusReject, 2},
		{"accept", []handlers.Reply{handlers.Accept, handlers.Reject}, protocol.StatusAccept, 1},
		{"discard", []handlers.Reply{{}, handlers.Discard, handlers.Continue}, protocol.StatusDiscard, 2},
		{"skip where it means nothing", []handlers.Reply{handlers.Skip, handlers.Continue}, protocol.StatusSkip, 1},
		{"failed", []handlers.Reply{handlers.Continue, failed, handlers.Continue}, protocol.StatusTempFail, 2},
		{"pending", []handlers.Reply{later(handlers.Continue), handlers.NoReply}, protocol.StatusContinue, 2},
		{"pending last", []handlers.Reply{handlers.Continue, later(handlers.Reply{})}, protocol.StatusContinue, 2},
		{"pending verdict", []handlers.Reply{later(handlers.TempFail), handlers.Continue}, protocol.StatusTempFail, 1},
		{"pending twice", []handlers.Reply{later(handlers.Continue), later(handlers.Accept), {}}, protocol.StatusAccept, 2},
		{"pending that fails", []handlers.Reply{panicked, handlers.Continue}, protocol.StatusTempFail, 1},
	}
	for _, tt := range tests {
		for _, off := range []bool{false, true} {
			asked := 0
			var members []handlers.Handler
			for _, r := range tt.replies {
				members = append(members, answering[*protocol.Data](handlers.Reject), // of another event
					handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
						asked++
						return r
					}))
			}
			h := handlers.Chain(members...)
			if off {
				h = handlers.Blocking(handlers.Chain(h))
			}
			r := ask(newControl(), h, &protocol.Helo{})
			if r.Status() != tt.want || asked != tt.asked {
				t.Errorf("%s: %v of %d members, want %v of %d (off the loop: %v)", tt.name, r.Status(), asked, tt.want, tt.asked, off)
			}
			if want := tt.want == protocol.StatusTempFail && tt.name != "pending verdict"; r.Failed() != want {
				t.Errorf("%s: failed is %v", tt.name, r.Failed())
			}
		}
	}
}

// The text of a verdict is that of the chain, and so is what is wrong with a reply
// that lets things go on.
func TestChainKeepsTextAndError(t *testing.T) {
	reject := handlers.Reject.With(550, "5.7.1", "no")
	r := ask(newControl(), handlers.Chain(answering[*protocol.Helo](handlers.Continue), answering[*protocol.Helo](reject)), &protocol.Helo{})
	if r.SMTP() != reject.SMTP() {
		t.Errorf("text %v", r.SMTP())
	}
	odd := handlers.Continue.With(550, "", "no")
	for _, h := range []handlers.Handler{
		handlers.Chain(answering[*protocol.Helo](odd), answering[*protocol.Helo](handlers.Continue)),
		handlers.Chain(answering[*protocol.Helo](handlers.Continue), answering[*protocol.Helo](odd)),
		handlers.Chain(answering[*protocol.Helo](handlers.NoReply), answering[*protocol.Helo](odd)),
	} {
		if r := ask(newControl(), h, &protocol.Helo{}); r.Status() != protocol.StatusContinue || !errors.Is(r.Err(), protocol.ErrInvalidCode) {
			t.Errorf("%v, error %v", r.Status(), r.Err())
		}
	}
}

// All members are told of what takes no answer, whatever the others do.
func TestChainTellsAll(t *testing.T) {
	var told []string
	boom := errors.New("boom")
	h := handlers.Chain(
		watching[*handlers.Finished](&told, "a"),
		handlers.Observe(func(*handlers.Session, *handlers.Finished) { panic("inline") }),
		handlers.Blocking(handlers.Observe(func(*handlers.Session, *handlers.Finished) { panic(boom) })),
		handlers.Chain(watching[*handlers.Finished](&told, "b"), watching[*handlers.Finished](&told, "c")),
	)
	r := ask(newControl(), h, &handlers.Finished{})
	checkTold(t, &told, "a", "b", "c")
	checkPanic(t, r, "inline")
	checkIs(t, r.Err(), boom)

	h = handlers.Chain(handlers.Observe(func(*handlers.Session, *handlers.Finished) { panic("alone") }),
		watching[*handlers.Finished](&told, "a"))
	checkPanic(t, ask(newControl(), h, &handlers.Finished{}), "alone")
	checkTold(t, &told, "a")
}

func TestChainAbort(t *testing.T) {
	var told []string
	bad := handlers.Reject.With(999, "")
	h := handlers.Chain(
		noting[*handlers.Abort](&told, "a", handlers.Reject),
		noting[*handlers.Abort](&told, "b", later(handlers.Accept)),
		noting[*handlers.Abort](&told, "c", bad),
		watching[*handlers.Abort](&told, "d"),
	)
	r := ask(newControl(), h, &handlers.Abort{})
	checkTold(t, &told, "a", "b", "c", "d")
	checkIs(t, r.Err(), protocol.ErrInvalidCode)
	checkStatus(t, ask(newControl(), handlers.Chain(answering[*handlers.Abort](handlers.Reject)), &handlers.Abort{}), protocol.StatusDefault)
}

func TestChainNegotiation(t *testing.T) {
	tests := []struct {
		replies []handlers.Reply
		want    protocol.Status
	}{
		{[]handlers.Reply{{}, {}}, protocol.StatusDefault},
		{[]handlers.Reply{{}, handlers.AllOptions}, protocol.StatusAllOptions},
		{[]handlers.Reply{handlers.Continue, handlers.AllOptions}, protocol.StatusContinue},
		{[]handlers.Reply{handlers.AllOptions, later(handlers.Continue)}, protocol.StatusContinue},
		{[]handlers.Reply{later(handlers.Reject), handlers.Continue}, protocol.StatusReject},
		{[]handlers.Reply{handlers.Continue, handlers.Reject, handlers.AllOptions}, protocol.StatusReject},
		{[]handlers.Reply{handlers.Reject, handlers.Accept}, protocol.StatusAccept}, // which is reported, and refuses
		{[]handlers.Reply{handlers.Discard, handlers.Accept}, protocol.StatusDiscard},
	}
	for _, tt := range tests {
		c := newControl()
		n := c.Negotiation(offer, protocol.Request{})
		asked := 0
		var members []handlers.Handler
		for _, r := range tt.replies {
			members = append(members, handlers.On(func(_ *handlers.Session, got *handlers.Negotiation) handlers.Reply {
				if got == n {
					asked++
				}
				return r
			}))
		}
		if r := ask(c, handlers.Chain(members...), n); r.Status() != tt.want || asked != len(tt.replies) {
			t.Errorf("%v of %d members, want %v of %d", r.Status(), asked, tt.want, len(tt.replies))
		}
	}
	failed := handlers.Chain(answering[*handlers.Negotiation](handlers.Reject),
		answering[*handlers.Negotiation](handlers.Failed(errors.New("no"))))
	c := newControl()
	if r := ask(c, failed, c.Negotiation(offer, protocol.Request{})); !r.Failed() {
		t.Errorf("a member that failed gives %v", r.Status())
	}
}

// A member that skips is told of no more of the body of this message; the chain
// skips when all have.
func TestChainSkip(t *testing.T) {
	var told []string
	skip := func(name string, after int) handlers.Handler {
		n := 0
		return handlers.Chain(
			handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
				n = 0
				return handlers.Continue
			}),
			handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply {
				told = append(told, name)
				if n++; n > after {
					return handlers.Skip
				}
				return handlers.Reply{}
			}),
		)
	}
	h := handlers.Chain(
		skip("a", 0),
		handlers.Need(handlers.KindBody),
		handlers.Chain(handlers.Need(handlers.KindBody), skip("b", 1), skip("c", 0)),
		handlers.Blocking(skip("d", 1)),
	)
	s := handlertest.New(t, h)
	for range 2 { // each message anew
		s.Do(mail("<a@example.com>"))
		steps := []struct {
			status protocol.Status
			told   []string
		}{
			{protocol.StatusContinue, []string{"a", "b", "c", "d"}},
			{protocol.StatusSkip, []string{"b", "d"}},
			{protocol.StatusContinue, nil}, // the session swallows it
		}
		for i, step := range steps {
			if out := s.Do(body("x")); out.Status != step.status {
				t.Errorf("piece %d: %v, want %v", i, out.Status, step.status)
			}
			checkTold(t, &told, step.told...)
		}
		s.EndOfMessage()
	}
}

// An observer of the body does not skip, so nobody skips for it.
func TestChainSkipBesideObserver(t *testing.T) {
	var told []string
	s := handlertest.New(t, handlers.Chain(
		noting[*protocol.Body](&told, "a", handlers.Skip), watching[*protocol.Body](&told, "b"),
		noting[*handlers.Message](&told, "a", handlers.Continue)))
	s.Do(mail("<a@example.com>"))
	for range 2 {
		if out := s.Do(body("x")); out.Status != protocol.StatusContinue {
			t.Errorf("%v, want continue", out.Status)
		}
	}
	s.EndOfMessage()
	checkTold(t, &told, "a", "b", "b", "a")

	c := inMessage(t, 0, mail("<a>"))
	h := handlers.Chain(watching[*protocol.Body](&told, "a"), answering[*protocol.Body](later(handlers.Skip)))
	checkStatus(t, ask(c, h, body("x")), protocol.StatusContinue)
}

// A chain that stands in another one twice is asked in both places, and a member that
// skips in one of them does not skip in the other.
func TestChainTwice(t *testing.T) {
	var told []string
	replies := []handlers.Reply{handlers.Skip, handlers.Continue}
	inner := handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply {
			told = append(told, "a")
			r := replies[0]
			replies = append(replies[1:], handlers.Continue)
			return r
		}),
		noting[*protocol.Body](&told, "b", handlers.Continue))
	s := handlertest.New(t, handlers.Chain(inner, noting[*protocol.Body](&told, "c", handlers.Continue), inner))
	s.Do(mail("<a@example.com>"))
	for _, want := range []string{"a b c a b", "b c a b"} {
		s.Do(body("x"))
		checkTold(t, &told, strings.Fields(want)...)
	}
	alone := handlertest.New(t, inner)
	alone.Do(mail("<a@example.com>"))
	alone.Do(body("x"))
	checkTold(t, &told, "a", "b")
}

// A function that skips when its message is gone does not skip the next one.
func TestChainSkipComesLate(t *testing.T) {
	c := inMessage(t, 0, mail("<a@example.com>"))
	asked, release := 0, make(chan struct{})
	h := handlers.Blocking(handlers.Chain(handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply {
		asked++
		<-release
		return handlers.Skip
	})))
	s := c.Begin(context.Background())
	posted := start(c, s, c.Call(h, s, body("x")))
	c.Over(handlers.ErrAborted)
	receive(t, c, protocol.StatusContinue, &protocol.Abort{})
	c.EndMessage(0)
	close(release)
	<-posted
	receive(t, c, protocol.StatusContinue, mail("<b@example.com>"))
	checkStatus(t, ask(c, h, body("x")), protocol.StatusSkip)
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

// The members after one that is pending have bytes of their own.
func TestChainHoldsEvents(t *testing.T) {
	var got []string
	note := handlers.Observe(func(_ *handlers.Session, h *protocol.Header) { got = append(got, h.Value.String()) })
	h := handlers.Chain(note, answering[*protocol.Header](later(handlers.Continue)), note, handlers.Chain(note),
		answering[*protocol.Header](later(handlers.Continue)))
	c := newControl()
	cmd := header("Subject", "hi")
	s := c.Begin(context.Background())
	r := c.Call(h, s, cmd)
	clear(cmd.Value)
	checkStatus(t, await(c, s, r), protocol.StatusContinue)
	checkTold(t, &got, "hi", "hi", "hi")
}

// A panic of a member that was held is that of the chain.
func TestChainPanicInContinuation(t *testing.T) {
	var told []string
	h := handlers.Chain(
		answering[*protocol.Helo](later(handlers.Continue)),
		handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply { panic("held") }),
		noting[*protocol.Helo](&told, "after", handlers.Continue),
	)
	checkPanic(t, ask(newControl(), h, &protocol.Helo{}), "held")
	checkPanic(t, ask(newControl(), handlers.Blocking(h), &protocol.Helo{}), "held")
	checkTold(t, &told)
}
