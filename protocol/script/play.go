package script

import (
	"slices"
	"time"

	"millstream/protocol"
)

// A Player plays scripts.
type Player struct {
	// Timeout is how long an answer may take. Zero means 10 s.
	Timeout time.Duration

	// Moment is how long nothing must come where that is said, and at the end.
	// Zero means 100 ms.
	Moment time.Duration

	// Cut is the size of the pieces in which everything is sent. Zero means that
	// it is sent as it is written down.
	Cut int

	// Record takes what comes for what is expected.
	Record bool

	// Trace is told of each line as it is played. It may be nil.
	Trace func(Note)
}

// A Note is what became of one line.
type Note struct {
	At   time.Duration // since the beginning
	Line int           // of the script, or of the one after which something came
	Want Step          // the line; nil for what nobody expected
	Got  Step          // what came of it; nil for what did not come
}

// OK reports whether things went as expected.
func (n Note) OK() bool {
	if n.Want == nil || n.Got == nil {
		return false
	}
	if answer, ok := n.Want.(*Receive); ok {
		return answer.suits(n.Got)
	}
	return n.Want.String() == n.Got.String()
}

// Play plays s to a milter. It returns s as it really went, and how that differs.
// Without differences, s and played are the same.
func (p *Player) Play(s *Script, to Peer) (played *Script, differences []Note) {
	g := &game{Player: *p, script: s, peer: to, begin: time.Now()}
	if g.Timeout == 0 {
		g.Timeout = 10 * time.Second
	}
	if g.Moment == 0 {
		g.Moment = 100 * time.Millisecond
	}
	g.inside, _ = to.(Inside)
	out := &Script{Name: s.Name}
	turns := s.turns()
	for i, t := range turns {
		out.Lines = append(out.Lines, g.play(t)...)
		if g.over {
			for _, t := range turns[i+1:] {
				out.Lines = append(out.Lines, t.lines()...)
			}
			return out, g.differences
		}
	}
	if !g.Record {
		g.surplus(g.Moment)
	}
	return out, g.differences
}

// A turn is what the MTA does, or a wait, and all that comes of it.
type turn struct {
	act  []Line
	then []Line
}

func (t *turn) lines() []Line { return slices.Concat(t.act, t.then) }

// turns returns the turns of s. The first one has no act.
func (s *Script) turns() []*turn {
	t := &turn{}
	turns := []*turn{t}
	for _, l := range s.Lines {
		switch step := l.Step.(type) {
		case *Send:
			if step.Joined {
				t.act = append(t.act, t.then...) // comments
				t.act = append(t.act, l)
				t.then = nil
				continue
			}
			t = &turn{act: []Line{l}}
			turns = append(turns, t)
		case Wait:
			t = &turn{act: []Line{l}}
			turns = append(turns, t)
		default:
			t.then = append(t.then, l)
		}
	}
	return turns
}

// game is a script while it is played.
type game struct {
	Player
	script *Script
	peer   Peer
	inside Inside // nil if there is no looking into the milter
	begin  time.Time
	line   int // the one that is played

	in          []byte // received
	steps       protocol.Steps
	last        protocol.Code // sent
	left        bool          // the MTA is gone
	closed      bool          // the milter is gone
	over        bool          // nothing more can be played
	differences []Note
}

// play plays one turn and returns its lines as they went.
func (g *game) play(t *turn) []Line {
	due, ok := g.act(t.act)
	if !ok {
		return t.lines()
	}
	found := &findings{}
	if g.Record {
		g.record(t, due, found)
	} else {
		g.compare(t, found)
	}
	g.look(t, found)
	if found.same {
		return t.lines()
	}
	return t.rewritten(found.got)
}

// act does what the MTA does, and returns how many answers are due; -1 if that
// cannot be told. It reports whether it could be done.
func (g *game) act(lines []Line) (due int, ok bool) {
	var packets []byte
	for _, l := range lines {
		g.line = l.Number
		switch step := l.Step.(type) {
		case Wait:
			g.note(step, step)
			g.pass(time.Duration(step))
			due = -1
		case *Send:
			if g.closed || g.left {
				g.note(step, &Receive{Close: true})
				g.over = true
				return 0, false
			}
			g.note(step, step)
			if step.Leave != "" {
				g.left = true
				g.peer.Leave(step.Leave == "reset")
				continue
			}
			packets = step.Append(packets)
			due = g.expect(step, due)
		}
	}
	g.send(packets)
	return due, true
}

// expect returns how many answers are due with a packet.
func (g *game) expect(l *Send, due int) int {
	g.last = 0
	if l.Command == nil || due < 0 {
		return -1
	}
	g.last = l.Command.Code()
	switch g.last {
	case protocol.CodeMacro, protocol.CodeAbort, protocol.CodeQuit, protocol.CodeQuitNewConnection:
		return due
	}
	if step := protocol.NoReply(g.last); step != 0 && g.steps.Has(step) {
		return due
	}
	return due + 1
}

// send sends packets, perhaps in pieces.
func (g *game) send(packets []byte) {
	size := len(packets)
	if g.Cut > 0 {
		size = g.Cut
	}
	for len(packets) > 0 {
		n := min(size, len(packets))
		if g.peer.Send(packets[:n]) != nil {
			return // Receive tells
		}
		packets = packets[n:]
	}
}

// pass lets time pass.
func (g *game) pass(d time.Duration) {
	if g.inside != nil {
		g.inside.Advance(d)
		return
	}
	t := time.NewTimer(d)
	<-t.C
}

// note tells of a line that was played.
func (g *game) note(want, got Step) {
	n := Note{At: time.Since(g.begin), Line: g.line, Want: want, Got: got}
	if !n.OK() {
		g.differences = append(g.differences, n)
	}
	if g.Trace != nil {
		g.Trace(n)
	}
}
