package ratelimit

import (
	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// Needs returns what the expressions and texts have to be told: the macros and the results
// of earlier handlers. The filter has the events sent by itself, and asks for macros where
// others are asked for; whoever knows those of all handlers asks for all of them. The
// error is that of [New].
func (s *Settings) Needs(names *when.Names) (when.Needs, error) {
	limits, trust, mistakes := new(filter).compile(s, names)
	if err := mistakes.Err(); err != nil {
		return when.Needs{}, err
	}
	return needs(limits, trust), nil
}

// Mistakes returns what is wrong, each with its key; nil for nothing. It is what Check
// tells, and the expressions, texts and networks that cannot be. names may be nil.
func (s *Settings) Mistakes(names *when.Names) when.Mistakes {
	_, _, mistakes := new(filter).compile(s, names)
	return mistakes
}

// needs returns the macros and results that are used.
func needs(limits []*limit, trust *when.Program) (n when.Needs) {
	add := func(one when.Needs) {
		for stage, names := range one.Macros {
			if len(names) > 0 {
				n.Macros.Add(protocol.Stage(stage), names...)
			}
		}
		n.Results = append(n.Results, one.Results...)
	}
	if trust != nil {
		add(trust.Needs())
	}
	for _, l := range limits {
		if l.key.has(authUser) {
			n.Macros.Add(protocol.StageMail, macroUser)
		}
		if l.when != nil {
			add(l.when.Needs())
		}
		if l.text != nil {
			add(l.text.text.Needs())
		}
		for _, p := range l.key.parts {
			if p.text != nil {
				add(p.text.Needs())
			}
		}
	}
	return n
}

// negotiate asks for macros at the stages at which others are asked for, since the MTA
// then sends no more than these. Else it sends the usual ones unasked.
func (f *filter) negotiate(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
	for stage, names := range f.macros {
		n.AlsoMacros(protocol.Stage(stage), names...)
	}
	return handlers.Continue
}
