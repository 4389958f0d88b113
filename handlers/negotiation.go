package handlers

import (
	"slices"
	"sync"

	"millstream/protocol"
)

// A Negotiation is the event at the start of a connection, and the only place
// where what is asked of the MTA can be edited. At first it asks for what
// follows from the handlers: not to send events that none takes, not to wait for
// events that are only observed, and for Skip.
//
// With Continue the MTA is asked for what stands here. With AllOptions, or no
// opinion, it is asked for every action it offers and for the steps that follow
// from the handlers; macros and required actions count even then. With Reject
// the connection is refused.
//
// A Negotiation is owned. After the answer, edits do nothing.
type Negotiation struct {
	offer   protocol.Options
	derived protocol.Steps // what follows from the handlers

	mu   sync.Mutex
	req  protocol.Request
	over bool
}

// Negotiation returns the event of a negotiation that asks for req at first.
func (c *Control) Negotiation(offer protocol.Options, req protocol.Request) *Negotiation {
	return &Negotiation{offer: offer, derived: req.Steps, req: req}
}

// Request ends a negotiation that was answered s, and returns what it asks for.
func (c *Control) Request(n *Negotiation, s protocol.Status) protocol.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.over = true
	if s != protocol.StatusContinue {
		n.req.Actions, n.req.Steps = protocol.ActionsAll, n.derived
	}
	return n.req
}

// edit calls f under the lock, until the negotiation is over.
func (n *Negotiation) edit(f func(*protocol.Request)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.over {
		f(&n.req)
	}
}

// request returns what is asked for now.
func (n *Negotiation) request() protocol.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.req
}

// Offer returns what the MTA offers.
func (n *Negotiation) Offer() protocol.Options { return n.offer }

// Actions returns the actions asked for.
func (n *Negotiation) Actions() protocol.Actions { return n.request().Actions }

// SetActions sets the actions asked for. Those not offered are left out.
func (n *Negotiation) SetActions(a protocol.Actions) {
	n.edit(func(r *protocol.Request) { r.Actions = a })
}

// Require asks for actions without which the filter is of no use: if one is not
// offered, the connection is refused with ErrActionNotOffered.
func (n *Negotiation) Require(a protocol.Actions) {
	n.edit(func(r *protocol.Request) { r.Required |= a })
}

// Required returns the actions given to Require.
func (n *Negotiation) Required() protocol.Actions { return n.request().Required }

// Steps returns the steps asked for.
func (n *Negotiation) Steps() protocol.Steps { return n.request().Steps }

// SetSteps sets the steps asked for. Those not offered are made up for where
// that can be done, and left out where not.
func (n *Negotiation) SetSteps(s protocol.Steps) {
	n.edit(func(r *protocol.Request) { r.Steps = s })
}

// RequestMacros asks for macros at a stage, with or without braces. Several
// calls add up. An empty list asks for none.
func (n *Negotiation) RequestMacros(stage protocol.Stage, names ...string) {
	n.edit(func(r *protocol.Request) {
		if stage < protocol.NumStages {
			r.Macros[stage] = slices.Clone(r.Macros[stage]) // the list may be that of a Config
		}
		r.Macros.Add(stage, names...)
	})
}

// AlsoMacros asks for macros at a stage if others are asked for there. An MTA that is
// asked for some sends no others; one that is not sends the usual ones.
func (n *Negotiation) AlsoMacros(stage protocol.Stage, names ...string) {
	if len(names) > 0 && n.Macros(stage) != nil {
		n.RequestMacros(stage, names...)
	}
}

// Macros returns the macros asked for at a stage; nil if nothing was.
func (n *Negotiation) Macros(stage protocol.Stage) []string {
	if stage >= protocol.NumStages {
		return nil
	}
	return slices.Clone(n.request().Macros[stage])
}
