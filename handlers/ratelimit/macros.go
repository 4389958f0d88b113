package ratelimit

import (
	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// addMacros finds out which macros are used.
func (f *filter) addMacros(limits []*limit, trust *when.Program) {
	var all []protocol.MacroLists
	if trust != nil {
		all = append(all, trust.Needs().Macros)
	}
	for _, l := range limits {
		if l.key.has(authUser) {
			f.macros.Add(protocol.StageMail, macroUser)
		}
		if l.when != nil {
			all = append(all, l.when.Needs().Macros)
		}
		if l.text != nil {
			all = append(all, l.text.text.Needs().Macros)
		}
		for _, p := range l.key.parts {
			if p.text != nil {
				all = append(all, p.text.Needs().Macros)
			}
		}
	}
	for _, lists := range all {
		for stage, names := range lists {
			if len(names) > 0 {
				f.macros.Add(protocol.Stage(stage), names...)
			}
		}
	}
}

// negotiate asks for macros at the stages at which others are asked for, since the MTA
// then sends no more than these. Else it sends the usual ones unasked.
func (f *filter) negotiate(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
	for i, names := range f.macros {
		if stage := protocol.Stage(i); len(names) > 0 && n.Macros(stage) != nil {
			n.RequestMacros(stage, names...)
		}
	}
	return handlers.Continue
}
