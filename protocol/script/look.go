package script

import "slices"

// look compares what can be seen of the inside of a milter with what is expected.
func (g *game) look(t *turn, found *findings) {
	if g.inside == nil {
		for _, l := range t.then { // it is taken on trust
			if insider(l.Step) {
				found.got = append(found.got, l.Step)
			}
		}
		return
	}
	before := len(g.differences)
	g.lookAtEvents(t, found)
	for _, l := range t.then {
		g.line = l.Number
		switch want := l.Step.(type) {
		case State:
			g.seen(want, State(g.inside.State()), found)
		case Writes:
			if got := Writes(g.inside.Writes()); g.Cut == 0 {
				g.seen(want, got, found)
			}
		}
	}
	g.inside.Writes() // those that nobody counts
	if g.Record {
		return
	}
	found.same = found.same && len(g.differences) == before
}

// seen notes what was expected and what is.
func (g *game) seen(want, got Step, found *findings) {
	if g.Record {
		want = got
	}
	found.add(g, want, got)
}

// insider reports whether a line is about the inside of a milter.
func insider(s Step) bool {
	switch s.(type) {
	case Event, State, Writes:
		return true
	}
	return false
}

// lookAtEvents compares the events of a turn.
func (g *game) lookAtEvents(t *turn, found *findings) {
	var got []Event
	for _, e := range g.inside.Events() {
		if g.script.Watches(e.name()) {
			got = append(got, e)
		}
	}
	for _, l := range t.then {
		want, ok := l.Step.(Event)
		if !ok {
			continue
		}
		g.line = l.Number
		switch {
		case g.Record:
		case len(got) == 0:
			found.add(g, want, nil)
		default:
			found.add(g, want, got[0])
			got = got[1:]
		}
	}
	for _, e := range got {
		if g.Record {
			g.note(e, e)
			found.got = append(found.got, e)
			continue
		}
		found.add(g, nil, e)
	}
}

// rewritten returns the lines of a turn with what really came of it.
func (t *turn) rewritten(got []Step) []Line {
	first, last := len(t.then), 0
	for i, l := range t.then {
		if _, comment := l.Step.(Comment); !comment {
			last = i + 1
		}
		if isExpectation(l.Step) {
			first = min(first, i)
		}
	}
	first = min(first, last)
	lines := slices.Concat(t.act, t.then[:first])
	for _, l := range t.then[first:last] {
		if !isExpectation(l.Step) {
			lines = append(lines, l)
		}
	}
	for _, step := range got {
		lines = append(lines, Line{Step: step})
	}
	return append(lines, t.then[last:]...)
}

// isExpectation reports whether a line says what comes.
func isExpectation(s Step) bool {
	_, answer := s.(*Receive)
	return answer || insider(s)
}
