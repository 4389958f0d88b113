package handlers_test

import (
	"slices"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

func TestNegotiationEdits(t *testing.T) {
	const (
		derived = protocol.StepSkip | protocol.StepNoBody
		wanted  = protocol.ActionAddHeaders | protocol.ActionQuarantine
	)
	lists := protocol.MacroLists{protocol.StageHelo: {"tls_version"}}
	first := protocol.Request{Actions: protocol.ActionsAll, Steps: derived, Macros: lists}
	c := newControl()
	n := c.Negotiation(offer, first)
	if n.Offer() != offer || n.Actions() != first.Actions || n.Steps() != derived || n.Required() != 0 {
		t.Errorf("at first %v %v %v %v", n.Offer(), n.Actions(), n.Steps(), n.Required())
	}
	n.SetActions(wanted)
	n.SetSteps(n.Steps() | protocol.StepRcptRejected)
	n.Require(protocol.ActionQuarantine)
	n.Require(protocol.ActionChangeFrom)
	n.RequestMacros(protocol.StageHelo, "{cipher}", "tls_version")
	n.RequestMacros(protocol.StageConnect)
	n.RequestMacros(99, "x")
	if n.Actions() != wanted || n.Steps() != derived|protocol.StepRcptRejected {
		t.Errorf("edited to %v %v", n.Actions(), n.Steps())
	}
	if got := n.Required(); got != protocol.ActionQuarantine|protocol.ActionChangeFrom {
		t.Errorf("required %v", got)
	}
	macros := n.Macros(protocol.StageHelo)
	if !slices.Equal(macros, []string{"tls_version", "cipher"}) {
		t.Errorf("macros %v", macros)
	}
	macros[0] = "changed"
	if got := n.Macros(protocol.StageConnect); got == nil || len(got) > 0 || n.Macros(protocol.StageData) != nil || n.Macros(99) != nil {
		t.Errorf("macros at connect %v, data %v", got, n.Macros(protocol.StageData))
	}
	got := c.Request(n, protocol.StatusContinue)
	if got.Actions != wanted || got.Steps != n.Steps() || !slices.Equal(got.Macros[protocol.StageHelo], []string{"tls_version", "cipher"}) {
		t.Errorf("asked for %+v", got)
	}
	if !slices.Equal(lists[protocol.StageHelo], []string{"tls_version"}) {
		t.Errorf("the lists of the server are now %v", lists[protocol.StageHelo])
	}
	n.SetActions(0)
	n.SetSteps(0)
	n.Require(protocol.ActionsAll)
	n.RequestMacros(protocol.StageData, "late")
	if n.Actions() != wanted || n.Steps() == 0 || n.Required() == protocol.ActionsAll || n.Macros(protocol.StageData) != nil {
		t.Error("edited after the answer")
	}
}

// Sessions that start from the same lists do not share what they add.
func TestNegotiationsShareNoLists(t *testing.T) {
	lists := protocol.MacroLists{protocol.StageHelo: make([]string, 0, 4)}
	c := newControl()
	first, second := c.Negotiation(offer, protocol.Request{Macros: lists}), c.Negotiation(offer, protocol.Request{Macros: lists})
	first.RequestMacros(protocol.StageHelo, "a")
	second.RequestMacros(protocol.StageHelo, "b")
	if got := first.Macros(protocol.StageHelo); !slices.Equal(got, []string{"a"}) {
		t.Errorf("macros %v", got)
	}
}

// Whatever was edited, AllOptions and no opinion ask for all actions and for the
// steps that follow from the handlers.
func TestNegotiationWithoutOpinion(t *testing.T) {
	for _, s := range []protocol.Status{protocol.StatusAllOptions, protocol.StatusDefault} {
		c := newControl()
		n := c.Negotiation(offer, protocol.Request{Actions: protocol.ActionAddHeaders, Steps: protocol.StepNoBody})
		n.SetActions(protocol.ActionChangeBody)
		n.SetSteps(protocol.StepsAll)
		n.Require(protocol.ActionChangeFrom)
		n.RequestMacros(protocol.StageData, "x")
		got := c.Request(n, s)
		if got.Actions != protocol.ActionsAll || got.Steps != protocol.StepNoBody ||
			got.Required != protocol.ActionChangeFrom || len(got.Macros[protocol.StageData]) != 1 {
			t.Errorf("%v asks for %+v", s, got)
		}
	}
}

// All members edit the same request, also while their answer is pending.
func TestNegotiationOfAChain(t *testing.T) {
	s := handlertest.New(t, handlers.Chain(
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.SetActions(protocol.ActionAddHeaders)
			return handlers.Continue
		}),
		handlers.Go(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.SetActions(n.Actions() | protocol.ActionQuarantine)
			return handlers.AllOptions
		}),
		handlers.Observe(func(_ *handlers.Session, n *handlers.Negotiation) {
			n.RequestMacros(protocol.StageEndOfMessage, "i")
		}),
	))
	got, err := s.Negotiate(offer)
	want := protocol.ActionAddHeaders | protocol.ActionQuarantine | protocol.ActionSetSymbolList
	if err != nil || got.Wire.Actions != want || !slices.Equal(got.Macros[protocol.StageEndOfMessage], []string{"i"}) {
		t.Errorf("agreed on %+v, error %v", got, err)
	}
}

// Macros are asked for beside others, and only there.
func TestAlsoMacros(t *testing.T) {
	n := newControl().Negotiation(offer, protocol.Request{Macros: protocol.MacroLists{protocol.StageHelo: {"tls_version"}}})
	n.AlsoMacros(protocol.StageHelo, "{cipher}")
	n.AlsoMacros(protocol.StageMail, "auth_authen")
	n.AlsoMacros(protocol.StageHelo)
	if got := n.Macros(protocol.StageHelo); !slices.Equal(got, []string{"tls_version", "cipher"}) {
		t.Errorf("beside others: %v", got)
	}
	if got := n.Macros(protocol.StageMail); got != nil {
		t.Errorf("where none are asked for: %v", got)
	}
}
