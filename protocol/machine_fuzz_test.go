package protocol

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// fuzzCommands are the commands of a script: all of them, and one that is none.
const fuzzCommands = "ODCHMRTLNBEUAQKz"

// A player is a session and its MTA in one. It does with a machine what a session
// does, and keeps the books of the MTA: what it waits for and what it is told.
type player struct {
	t      *testing.T
	m      *Machine
	offer  Options
	req    Request
	wire   Steps
	within bool // a message has begun and not ended
	trace  []string
}

func (p *player) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf(format, args...)
	p.t.Fatalf("offered %v, asked for %v\n%s", p.offer.Steps, p.req.Steps, strings.Join(p.trace, "\n"))
}

func (p *player) note(what string, c Code, s Status) {
	p.trace = append(p.trace, what+" "+c.String()+" "+s.String())
}

// play runs a script: eight bytes for what is offered and asked for, then two for
// each command and its answer. An answer of Progress is left pending.
func play(t *testing.T, script []byte) {
	if len(script) < 8 {
		return
	}
	p := &player{
		t: t, m: NewMachine(),
		offer: Options{Version, ActionsAll, Steps(binary.BigEndian.Uint32(script)) | StepHeaderLeadingSpace},
		req:   Request{Steps: Steps(binary.BigEndian.Uint32(script[4:]))},
	}
	for script = script[8:]; len(script) >= 2; script = script[2:] {
		c, s := Code(fuzzCommands[script[0]%16]), Status(script[1]%(numStatuses+1))
		p.note("command", c, s)
		p.command(c, s)
		p.check()
	}
}

// command has the MTA say c. What is pending is answered first, unless c does not
// wait for that.
func (p *player) command(c Code, s Status) {
	before := *p.m
	turn, err := p.m.Receive(c)
	if err != nil && before.pending != 0 {
		p.notChanged(before, c, err)
		p.apply(StatusContinue)
		before = *p.m
		turn, err = p.m.Receive(c)
	}
	if err != nil {
		p.notChanged(before, c, err)
		return
	}
	if turn.Begins {
		if p.within {
			p.fail("%v begins a message within another", c)
		}
		p.within = true
	}
	switch {
	case turn.Aborts != StateInvalid:
		p.aborts(turn, before)
		if c != CodeAbort {
			p.command(c, s)
		}
	case turn.Pending:
		if turn.Answer != StatusDefault || p.m.Pending() != c {
			p.fail("%v: %+v", c, turn)
		}
		p.apply(s)
	default:
		if (turn.Answer != StatusDefault) != p.waits(c) {
			p.fail("%v: %+v, and the MTA waits: %v", c, turn, p.waits(c))
		}
	}
	switch c {
	case CodeQuit:
		p.m, p.within, p.wire = NewMachine(), false, 0
	case CodeQuitNewConnection:
		p.m.Finish()
		p.m.Renew()
		p.within = false
	}
}

// notChanged checks that a command out of order does nothing.
func (p *player) notChanged(before Machine, c Code, err error) {
	if !errors.Is(err, ErrSequence) || *p.m != before {
		p.fail("%v: error %v, machine is now %+v, was %+v", c, err, *p.m, before)
	}
}

// waits reports whether the MTA waits for an answer to c.
func (p *player) waits(c Code) bool {
	return strings.ContainsRune("OCHMRTLNBEU", rune(c)) && (NoReply(c) == 0 || p.wire&NoReply(c) == 0)
}

// aborts gives up the message.
func (p *player) aborts(turn Turn, before Machine) {
	if !p.within || turn.Aborts != before.state || !turn.Pending || turn.Answer != StatusDefault {
		p.fail("%+v in state %v, in a message: %v", turn, before.state, p.within)
	}
	effect, err := p.m.Apply(StatusContinue, StatusTempFail)
	if err != nil || effect.Answer != StatusDefault || !effect.Ends {
		p.fail("abort: %+v, error %v", effect, err)
	}
	p.within = false
}

// apply answers what is pending, and counts the packets of the answer.
func (p *player) apply(s Status) {
	c := p.m.Pending()
	p.note("answer", c, s)
	effect, err := p.m.Apply(s, StatusTempFail)
	if err != nil && !errors.Is(err, ErrStatusNotAllowed) {
		p.fail("%v to %v: %v", s, c, err)
	}
	if s == StatusProgress {
		if effect.Answer != StatusDefault || effect.Ends || p.m.Pending() != c {
			p.fail("%v is put off: %+v", c, effect)
		}
		return
	}
	if (effect.Answer != StatusDefault) != p.waits(c) || p.m.Pending() != 0 {
		p.fail("%v to %v: %+v, and the MTA waits: %v", s, c, effect, p.waits(c))
	}
	if effect.Ends {
		if !p.within {
			p.fail("%v to %v ends a message that there is not", s, c)
		}
		p.within = false
	}
	if c == CodeNegotiate {
		p.agree(effect.Status)
	}
}

// agree ends the negotiation.
func (p *player) agree(s Status) {
	if s == StatusReject {
		p.m, p.wire = NewMachine(), 0
		return
	}
	a, err := Agree(p.offer, p.req)
	if err != nil {
		p.fail("negotiation: %v", err)
	}
	p.m.Agreed(a)
	p.wire = a.Wire.Steps
}

// check compares the machine with the books.
func (p *player) check() {
	m := p.m
	if m.InMessage() != p.within {
		p.fail("in a message: %v, want %v", m.InMessage(), p.within)
	}
	isMoment := m.State()%2 == 0 && StateNegotiate <= m.State() && m.State() <= StateEndOfMessage
	if (m.Pending() != 0) != isMoment {
		p.fail("in state %v, pending is %v", m.State(), m.Pending())
	}
	last := m.LastState()
	if last != StateStart && (last%2 != 0 || last < StateNegotiate || last > StateEndOfMessage) {
		p.fail("last state is %v", last)
	}
	if isMoment && m.State() != last {
		p.fail("in state %v, last state is %v", m.State(), last)
	}
}

// scriptOf returns a script of commands that are all answered with a status.
func scriptOf(offer, want Steps, commands string, s Status) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(offer))
	b = binary.BigEndian.AppendUint32(b, uint32(want))
	for _, c := range commands {
		b = append(b, byte(strings.IndexRune(fuzzCommands, c)), byte(s))
	}
	return b
}

// TestMachineRandom plays random scripts, most of them with the beginning of a
// session, so that they come far.
func TestMachineRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		offer, want := Steps(rnd.Uint32()), Steps(rnd.Uint32()&rnd.Uint32())
		script := scriptOf(offer, want, "OCHMRDTLNB"[:rnd.IntN(11)], StatusContinue)
		for range rnd.IntN(60) {
			s := StatusContinue
			if rnd.IntN(3) == 0 {
				s = Status(rnd.IntN(int(numStatuses) + 1))
			}
			script = append(script, byte(rnd.IntN(16)), byte(s))
		}
		play(t, script)
	}
}

func FuzzMachine(f *testing.F) {
	whole := "ODCDHDMDRDRDTDLDLDNDBDBDEAAQ"
	for s := Status(0); s <= numStatuses; s++ {
		f.Add(scriptOf(StepsAll, 0, whole, s))
	}
	f.Add(scriptOf(StepsAll, StepNoReplyMask|StepSkip, whole, StatusNoReply))
	f.Add(scriptOf(0, StepNoReplyMask|StepNoEventMask|StepSkip, whole, StatusReject))
	f.Add(scriptOf(StepsAll, StepNoMail, "OCHRTEBENMRAUKOCHMBQ", StatusAccept))
	f.Add(scriptOf(StepsAll, 0, "KOAMRUHEKCHMzQOMA", StatusProgress))
	f.Fuzz(play)
}
