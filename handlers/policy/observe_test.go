package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/policy"
	"millstream/protocol"
)

// TestObserve runs a handler that refuses and changes: nothing comes of it but findings.
func TestObserve(t *testing.T) {
	tests := []struct {
		name string
		h    handlers.Handler
		want []string
	}{
		{"goes on", on(func(*handlers.Message) handlers.Reply { return handlers.Continue }), nil},
		{
			"refuses", handlers.Chain(
				on(func(*protocol.MailFrom) handlers.Reply { return handlers.Reject.With(550, "5.7.1", "no") }),
				on(func(*handlers.Message) handlers.Reply { return handlers.Accept }), // not asked
			),
			[]string{"envelope-from 550 5.7.1 no"},
		},
		{
			"refuses recipients", handlers.Chain(
				on(func(*protocol.RcptTo) handlers.Reply { return handlers.TempFail }),
				on(func(*handlers.Message) handlers.Reply { return handlers.Discard }),
			),
			[]string{"envelope-recipient tempfail", "envelope-recipient tempfail", "end-of-message discard"},
		},
		{
			"changes", handlers.Go(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
				m.AddHeader("A", "b")
				m.Quarantine("held")
				return handlers.Continue
			}),
			[]string{"end-of-message continue +A held"},
		},
		{
			"fails", policy.Policy{Name: "p", OnError: policy.Reject}.Apply(on(func(*handlers.Message) handlers.Reply { panic("broken") })),
			[]string{"end-of-message 550 5.7.1 Message refused: a filter failed"},
		},
		{
			"panics", on(func(*handlers.Message) handlers.Reply { panic("broken") }),
			[]string{"end-of-message tempfail"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var found []string
			h := policy.Observe("o", tt.h, func(_ *handlers.Session, f policy.Finding) {
				text := fmt.Sprintf("%v %v", f.Event, f.Reply.LogValue())
				if f.Changes != nil {
					for _, a := range f.Changes.AddedHeaders {
						text += " +" + a.Name
					}
					if f.Changes.Quarantined {
						text += " " + f.Changes.QuarantineReason
					}
				}
				found = append(found, text)
			})
			if h.Wants() != tt.h.Wants() {
				t.Errorf("wants %v, want %v", h.Wants(), tt.h.Wants())
			}
			s := handlertest.New(t, handlers.Chain(h, handlers.Need(handlers.KindEnvelopeRecipient)))
			for range 2 { // a second message is another one
				found = nil
				out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>", "<e@f>"}})
				if len(out.Changes) > 0 || out.Status != protocol.StatusContinue {
					t.Errorf("%v %v", out.Status, out.Changes)
				}
				if !slices.Equal(found, tt.want) {
					t.Errorf("found %q, want %q", found, tt.want)
				}
			}
			for _, r := range s.Results() {
				if r.Quarantined || len(r.AddedHeaders) > 0 || len(r.Recipients) != 2 {
					t.Errorf("result %+v", r)
				}
			}
		})
	}
}
