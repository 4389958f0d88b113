package handlers_test

import (
	"fmt"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// Careful asks for exactly what its filter needs.
func Careful(h handlers.Handler) handlers.Handler {
	return handlers.Chain(
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			if n.Offer().Version < 6 {
				return handlers.Reject
			}
			n.Require(protocol.ActionQuarantine)
			n.SetActions(protocol.ActionAddHeaders | protocol.ActionQuarantine)
			n.SetSteps(n.Steps() | protocol.StepRcptRejected)
			n.RequestMacros(protocol.StageConnect, "j", "daemon_name")
			n.RequestMacros(protocol.StageEndOfMessage, "i", "auth_authen")
			return handlers.Continue
		}),
		h,
	)
}

// The negotiation is edited.
func ExampleNegotiation() {
	filter := Careful(handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Accept }))

	offer := protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
	agreed, err := handlertest.New(t, filter).Negotiate(offer)
	fmt.Println(agreed.Wire.Actions, err)
	fmt.Println(agreed.Wire.Steps.Has(protocol.StepRcptRejected), agreed.Macros[protocol.StageEndOfMessage])

	offer.Actions &^= protocol.ActionQuarantine
	_, err = handlertest.New(t, filter).Negotiate(offer)
	fmt.Println(err)

	offer.Version = 2
	_, err = handlertest.New(t, filter).Negotiate(offer)
	fmt.Println(err)
	// Output:
	// add-headers|quarantine|set-symbol-list <nil>
	// true [i auth_authen]
	// milter: negotiation failed: required action not offered: quarantine
	// milter: negotiation failed: the handler refused
}
