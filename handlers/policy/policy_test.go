package policy_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/policy"
	"millstream/protocol"
)

var errBroken = errors.New("broken")

// on answers events of one kind as f does.
func on[E handlers.Answered](f func(E) handlers.Reply) handlers.Handler {
	return handlers.On(func(_ *handlers.Session, e E) handlers.Reply { return f(e) })
}

// fails are the ways in which a handler fails at the end of a message.
var fails = map[string]func(*handlers.Message) handlers.Reply{
	"panic":   func(*handlers.Message) handlers.Reply { panic(errBroken) },
	"failed":  func(*handlers.Message) handlers.Reply { return handlers.Failed(errBroken) },
	"illegal": func(*handlers.Message) handlers.Reply { return handlers.Skip },
	"change": func(m *handlers.Message) handlers.Reply {
		m.AddHeader("no name", "")
		return handlers.Continue
	},
	"panic later": func(*handlers.Message) handlers.Reply {
		return handlers.Async(func(context.Context) handlers.Reply { panic(errBroken) })
	},
	"failed later": func(*handlers.Message) handlers.Reply {
		return handlers.Async(func(context.Context) handlers.Reply { return handlers.Failed(errBroken) })
	},
}

// TestFailure fails at the end of a message in every way, under every policy. The next
// handler is asked if the policy lets the message go on.
func TestFailure(t *testing.T) {
	verdicts := []struct {
		v     policy.Verdict
		want  protocol.Status
		text  string
		asked bool
	}{
		{policy.TempFail, protocol.StatusTempFail, "451 4.7.1 Service unavailable, try again later", false},
		{policy.Reject, protocol.StatusReject, "550 5.7.1 Message refused: a filter failed", false},
		{policy.Accept, protocol.StatusAccept, "", false},
		{policy.Continue, protocol.StatusContinue, "", true},
		{policy.Quarantine, protocol.StatusContinue, "", true},
	}
	for name, f := range fails {
		for _, tt := range verdicts {
			t.Run(name+"/"+tt.v.String(), func(t *testing.T) {
				asked := false
				s := handlertest.New(t, handlers.Chain(
					policy.Policy{Name: "p", Timeout: time.Minute, OnError: tt.v}.Apply(on(f)),
					on(func(*handlers.Message) handlers.Reply { asked = true; return handlers.Continue }),
				))
				out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}})
				if out.Status != tt.want || out.Text != tt.text || asked != tt.asked {
					t.Errorf("%v %q, asked %v", out.Status, out.Text, asked)
				}
				r := s.Results()[0]
				if held := tt.v == policy.Quarantine; r.Quarantined != held || held && r.QuarantineReason != "filter p failed" {
					t.Errorf("quarantined %v %q", r.Quarantined, r.QuarantineReason)
				}
				if told := s.Failures(); len(told) != 1 {
					t.Errorf("failures %v", told)
				}
			})
		}
	}
}

// TestInside fails in every way: what goes around the handler within the policy sees a
// failed reply, whatever the policy answers.
func TestInside(t *testing.T) {
	for name, f := range fails {
		t.Run(name, func(t *testing.T) {
			var seen []bool
			note := func(r handlers.Reply) handlers.Reply { seen = append(seen, r.Failed()); return r }
			p := policy.Policy{Name: "p", OnError: policy.Continue, Inside: handlers.Around(
				func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
					return next.Handle(s, ev).Then(note)
				})}
			s := handlertest.New(t, p.Apply(handlers.Chain(
				on(func(*protocol.MailFrom) handlers.Reply { return handlers.Continue }), on(f))))
			out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}})
			if out.Status != protocol.StatusContinue || !slices.Equal(seen, []bool{false, true}) || len(s.Failures()) != 1 {
				t.Errorf("%v, seen %v, failures %v", out.Status, seen, s.Failures())
			}
		})
	}
}

// TestTimeout checks that what takes too long has a verdict of its own.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := handlers.Go(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
			<-s.Context().Done()
			return handlers.Accept
		})
		p := policy.Policy{Name: "p", Timeout: time.Second, OnError: policy.Reject, OnTimeout: policy.Continue}
		s := handlertest.New(t, p.Apply(slow))
		begun := time.Now()
		if out := s.Do(&protocol.MailFrom{Addr: protocol.View("<a@b>")}); out.Status != protocol.StatusContinue {
			t.Errorf("%v", out.Status)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %v", took)
		}
		if told := s.Failures(); len(told) != 1 || !errors.Is(told[0], handlers.ErrTimeout) {
			t.Errorf("failures %v", told)
		}
	})
}

// TestFailureBefore fails before the end of a message. A handler whose failure is passed
// over is asked no more about that message, but about the next.
func TestFailureBefore(t *testing.T) {
	for _, v := range []policy.Verdict{policy.Continue, policy.Quarantine} {
		ends, breaks := 0, false
		h := handlers.Chain(
			on(func(*protocol.RcptTo) handlers.Reply {
				if breaks {
					panic("broken")
				}
				return handlers.Continue
			}),
			on(func(*handlers.Message) handlers.Reply { ends++; return handlers.Continue }),
		)
		s := handlertest.New(t, policy.Policy{Name: "p", OnError: v}.Apply(h))
		s.Do(&protocol.MailFrom{Addr: protocol.View("<a@b>")})
		breaks = true
		if out := s.Do(&protocol.RcptTo{Addr: protocol.View("<c@d>")}); out.Status != protocol.StatusContinue {
			t.Errorf("%v at the recipient: %v", v, out.Status)
		}
		s.EndOfMessage()
		breaks = false
		s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}})
		results := s.Results()
		if ends != 1 || results[0].Quarantined != (v == policy.Quarantine) || results[1].Quarantined {
			t.Errorf("%v: asked %d times, quarantined %v and %v", v, ends, results[0].Quarantined, results[1].Quarantined)
		}
	}
}

// TestFailureElsewhere fails where a message is not what is answered.
func TestFailureElsewhere(t *testing.T) {
	apply := func(v policy.Verdict, h handlers.Handler) *handlertest.Session {
		return handlertest.New(t, policy.Policy{Name: "p", OnError: v}.Apply(h))
	}
	unknown := on(func(*protocol.Unknown) handlers.Reply { panic("broken") })
	if out := apply(policy.Accept, unknown).Do(&protocol.Unknown{Line: protocol.View("X")}); out.Status != protocol.StatusContinue {
		t.Errorf("unknown: %v", out.Status)
	}
	offer := protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
	negotiate := on(func(*handlers.Negotiation) handlers.Reply { panic("broken") })
	if _, err := apply(policy.Continue, negotiate).Negotiate(offer); err != nil {
		t.Errorf("negotiation: %v", err)
	}
	if _, err := apply(policy.Reject, negotiate).Negotiate(offer); err == nil {
		t.Error("negotiation: the failure was passed over")
	}
	s := apply(policy.Reject, handlers.Observe(func(*handlers.Session, *handlers.Result) { panic("broken") }))
	s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}})
	if told := s.Failures(); len(told) != 1 {
		t.Errorf("an observer: %v", told)
	}
	s = apply(policy.Quarantine, on(func(*handlers.Message) handlers.Reply { panic("broken") }))
	s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddHeaders })
	if out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}}); out.Status != protocol.StatusTempFail {
		t.Errorf("no quarantine: %v", out.Status)
	}
}

// TestAnotherFails checks that the failure of one handler is not taken for that of the
// next.
func TestAnotherFails(t *testing.T) {
	s := handlertest.New(t, handlers.Chain(
		on(func(m *handlers.Message) handlers.Reply { m.AddHeader("no name", ""); return handlers.Continue }),
		policy.Policy{Name: "p", OnError: policy.Accept}.Apply(on(func(*handlers.Message) handlers.Reply { return handlers.Continue })),
	))
	if out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}}); out.Status != protocol.StatusTempFail {
		t.Errorf("%v", out.Status)
	}
}

// TestParse reads the words of verdicts.
func TestParse(t *testing.T) {
	for v := policy.TempFail; v <= policy.Quarantine; v++ {
		if got, ok := policy.Parse(v.String()); !ok || got != v {
			t.Errorf("%v is %v, %v", v, got, ok)
		}
	}
	if _, ok := policy.Parse("drop"); ok {
		t.Error("drop is no verdict")
	}
}
