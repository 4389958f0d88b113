package when

import (
	"fmt"

	"millstream/handlers"
)

// A Group compiles expressions and texts for the functions of one handler. What they use
// is gathered once for all of them. A Group is for one goroutine; its programs and texts
// are shared by sessions.
type Group struct {
	names *Names
	unit  *unit
	key   string // of the facts, on the shelf
}

// NewGroup returns a group without anything in it. names may be nil.
func NewGroup(names *Names) *Group { return &Group{names: names, unit: new(unit), key: newKey()} }

// Compile is the function [Compile] for a program of g.
func (g *Group) Compile(source string) (*Program, error) {
	p, err := compile(source, g.names, g.unit)
	if err != nil {
		return nil, err
	}
	p.key = g.key
	return p, nil
}

// Template is the function [Template] for a text of g. It needs no [Text.Around].
func (g *Group) Template(source string) (*Text, error) {
	return template(source, g.names, g.unit, g.key)
}

// Needs returns what all that g has compiled has to be told.
func (g *Group) Needs() Needs { return needs(g.unit.leaves) }

// Around returns h with what g has compiled so far gathered for it, so that functions of
// h can call Holds, Header and Reply in any session. It stands where it is told of a
// message from its beginning.
func (g *Group) Around(h handlers.Handler) handlers.Handler { return around(g.unit, g.key, h) }

// Holds works p out as things stand in a session: for the recipient under way, if it is
// about that. It is for the functions of a handler within [Group.Around], at the
// Stage of [Program.Needs] and later: before that, what is not known yet is empty. The
// error is an [*EvalError].
func (p *Program) Holds(s *handlers.Session) (bool, error) {
	if p.steady {
		return p.holds(moment{s: s, kind: kindIn(s.State(), handlers.KindUnknown)})
	}
	return p.holds(now(s, p.key))
}

// now returns the moment that a session has come to, with the facts of a key.
func now(s *handlers.Session, key string) moment {
	kept, _ := s.Shelf().Get(key)
	f, _ := kept.(*facts)
	if f == nil {
		f = new(facts) // what is of a message is empty
	}
	return moment{s: s, f: f, kind: kindIn(s.State(), handlers.KindUnknown)}
}

// around returns h with what u needs gathered for it.
func around(u *unit, key string, h handlers.Handler) handlers.Handler {
	if h == nil {
		panic(fmt.Errorf("%w: handler of Around", handlers.ErrNull))
	}
	w := h.Wants()
	used := needs(u.leaves).Wants.Events
	if u.gathers == 0 { // the session knows all of it
		if sent := used &^ w.Events; sent != 0 {
			return handlers.Chain(h, need(sent))
		}
		return h
	}
	f := &feed{unit: u, key: key, h: h, taken: takes(h), wants: w}
	f.wants.Events = f.taken | u.events()
	if sent := (w.Events | used) &^ f.wants.Events; sent != 0 {
		return handlers.Chain(f, need(sent))
	}
	return f
}

// feed gathers for a handler.
type feed struct {
	unit  *unit
	key   string // of the facts, on the shelf
	h     handlers.Handler
	taken handlers.Kinds
	wants handlers.Wants
}

// Wants is [handlers.Handler].
func (f *feed) Wants() handlers.Wants { return f.wants }

// Handle is [handlers.Handler].
func (f *feed) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	facts := f.unit.gather(f.key, s, ev)
	kind := handlers.KindOf(ev)
	var r handlers.Reply
	if f.taken.Has(kind) && (facts == nil || kind != atBody || !facts.skipped) {
		r = f.h.Handle(s, ev)
	}
	if answer, ok := ev.(*handlers.Response); ok && facts != nil && answer.To == atRcpt {
		facts.answered(answer)
	}
	if kind == atBody && facts != nil && f.unit.gathers.has(gatherSize) {
		return facts.goOn(r)
	}
	return r
}
