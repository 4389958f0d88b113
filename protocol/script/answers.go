package script

import (
	"time"

	"millstream/protocol"
)

// findings is what came of a turn.
type findings struct {
	got  []Step
	same bool
}

// add notes what was expected and what came.
func (f *findings) add(g *game, want, got Step) {
	g.note(want, got)
	if got != nil {
		f.got = append(f.got, got)
	}
}

// compare takes the answers to a turn and compares them with what is expected.
func (g *game) compare(t *turn, found *findings) {
	before := len(g.differences)
	for _, l := range t.then {
		want, ok := l.Step.(*Receive)
		if !ok {
			continue
		}
		g.line = l.Number
		wait := g.Timeout
		if want.Nothing {
			wait = g.Moment
		}
		got := g.next(wait)
		found.add(g, want, got)
		if g.over = g.inside == nil && got.Nothing && !want.Nothing; g.over {
			return
		}
	}
	if g.inside != nil {
		g.surplusTo(found, 0)
	}
	found.same = len(g.differences) == before
}

// surplus notes the answers that nobody expects.
func (g *game) surplus(wait time.Duration) { g.surplusTo(&findings{}, wait) }

func (g *game) surplusTo(found *findings, wait time.Duration) {
	for !g.closed {
		got := g.next(wait)
		if got.Nothing || got.Close && g.last == protocol.CodeQuit {
			return
		}
		found.add(g, nil, got)
	}
}

// record takes the answers to a turn as they come.
func (g *game) record(t *turn, due int, found *findings) {
	wantNothing := false
	for _, l := range t.then {
		if want, ok := l.Step.(*Receive); ok {
			wantNothing = wantNothing || want.Nothing
		}
	}
	for !g.closed && !g.left {
		wait := time.Duration(0)
		switch {
		case due > 0:
			wait = g.Timeout
		case due < 0 || wantNothing || g.last == protocol.CodeQuit:
			wait = g.Moment
		}
		got := g.next(wait)
		if got.Nothing && due <= 0 && !wantNothing {
			break
		}
		g.note(got, got)
		found.got = append(found.got, got)
		if got.Nothing {
			break
		}
		if due > 0 && got.Answer.IsFinal() {
			due--
		}
	}
}

// next returns the next answer, or that nothing came.
func (g *game) next(wait time.Duration) *Receive {
	for deadline := time.Now().Add(wait); ; wait = time.Until(deadline) {
		if got := g.packet(); got != nil {
			return got
		}
		if g.left || g.closed {
			return &Receive{Nothing: true}
		}
		p, err := g.peer.Receive(wait)
		g.in = append(g.in, p...)
		if err != nil {
			if got := g.remainder(); got != nil {
				return got // the error comes again
			}
			g.closed = true
			return &Receive{Close: true}
		}
		if len(p) == 0 && (g.inside != nil || time.Until(deadline) <= 0) {
			return &Receive{Nothing: true}
		}
	}
}

// remainder returns what was received when no more comes.
func (g *game) remainder() *Receive {
	got := g.packet()
	if got == nil && len(g.in) > 0 {
		got = &Receive{Raw: g.in}
		g.in = nil
	}
	return got
}

// packet returns the first answer of what was received; nil if it is not whole.
func (g *game) packet() *Receive {
	_, _, n, err := protocol.Frame(g.in, protocol.DefaultMaxPacketSize)
	if err != nil {
		got := &Receive{Raw: g.in}
		g.in = nil
		return got
	}
	if n == 0 {
		return nil
	}
	got := Received(g.in[:n])
	g.in = g.in[n:]
	if got.Answer.Code == protocol.CodeNegotiate {
		g.steps = got.Answer.Offer.Steps
	}
	return got
}
