package policy

import (
	"millstream/handlers"
	"millstream/protocol"
)

// A Finding is what a handler would have done, had it not only been observed.
type Finding struct {
	Event   handlers.Kind
	Reply   handlers.Reply
	Changes *handlers.Result // of a message, in the fields for changes; nil but at its end
}

// Observe returns h such that nothing comes of it: its answers and its changes to
// messages go nowhere but to report, which is called for each of them that is more than
// to go on. report runs where h does and must not block. The MTA waits for h as if it
// counted. Skip is for h alone, so it counts; so do macros and actions that h asks for
// in the negotiation. A message that h would have ended is not told to h any further.
//
// name is that of h, which no other handler of the same chain may have.
func Observe(name string, h handlers.Handler, report func(*handlers.Session, Finding)) handlers.Handler {
	o := &observer{"observe " + name, report}
	return handlers.Around(o.ask)(h)
}

// observer is a handler that is tried out.
type observer struct {
	key    string // is on the shelf if h would have ended the message
	report func(*handlers.Session, Finding)
}

func (o *observer) ask(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
	kind := handlers.KindOf(ev)
	if answered.Has(kind) {
		if _, ended := s.Shelf().Get(o.key); ended {
			return handlers.Continue
		}
	}
	var changes func() *handlers.Result
	if m, ok := ev.(*handlers.Message); ok {
		ev, changes = m.Shadow()
	}
	r := called(next, s, ev)
	if r.Status() != protocol.StatusProgress {
		return o.found(s, kind, r, changes)
	}
	return r.Then(func(r handlers.Reply) handlers.Reply { return o.found(s, kind, r, changes) })
}

// found reports an answer and returns the one that counts.
func (o *observer) found(s *handlers.Session, kind handlers.Kind, r handlers.Reply, changes func() *handlers.Result) handlers.Reply {
	f := Finding{Event: kind, Reply: r}
	if changes != nil {
		f.Changes = changes()
	}
	if !goesOn(r) || r.Failed() || changed(f.Changes) {
		o.report(s, f)
	}
	switch {
	case r.Failed():
		return handlers.Reply{}.Reported(r.Err())
	case goesOn(r):
		return r
	case kind == handlers.KindNegotiate:
		return handlers.Reply{}
	case ends(kind, r.Status()):
		s.Shelf().Set(o.key, true)
	}
	return handlers.Continue
}

// goesOn reports whether a reply lets things go on, for the handler at least.
func goesOn(r handlers.Reply) bool {
	switch r.Status() {
	case protocol.StatusNoReply, protocol.StatusSkip, protocol.StatusAllOptions:
		return true
	}
	return r.Status().IsPass()
}

// ends reports whether an answer would be the last to a message.
func ends(kind handlers.Kind, s protocol.Status) bool {
	refused := s == protocol.StatusReject || s == protocol.StatusTempFail
	return !(refused && (kind == handlers.KindEnvelopeRecipient || kind == handlers.KindUnknown))
}

// changed reports whether there are changes to a message.
func changed(r *handlers.Result) bool {
	return r != nil && (len(r.AddedHeaders)+len(r.RemovedHeaders)+len(r.AddedRecipients)+len(r.DeletedRecipients) > 0 ||
		r.ChangedFrom != "" || r.NewBodySize >= 0 || r.Quarantined)
}
