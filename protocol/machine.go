package protocol

// A Machine keeps the state of one session and is the only judge of what may
// come next. The zero Machine is not ready; use [NewMachine].
type Machine struct {
	state, last State
	status      Status
	verdict     Status // that ended the last message early; it is good for what the MTA still sends of it
	pending     Code   // the command that waits for Apply; 0 if none
	place       uint8  // of the last command within the message
	inMessage   bool
	agreed      bool  // the negotiation is over
	opened      bool  // it is too late for connect
	renewed     bool  // quit-new-connection came last: a new offer may follow
	skipping    bool  // no more of the body is wanted
	granted     Steps // what the session obeys
	wire        Steps // what the MTA was told
}

// NewMachine returns a machine in StateStart.
func NewMachine() *Machine { return &Machine{state: StateStart, last: StateStart} }

// State returns the state.
func (m *Machine) State() State { return m.state }

// LastState returns the last state entered of those that stand for a command
// with an answer; StateStart at first.
func (m *Machine) LastState() State { return m.last }

// Status returns the last status applied; StatusDefault at first.
func (m *Machine) Status() Status { return m.status }

// InMessage reports whether a message has begun and not ended.
func (m *Machine) InMessage() bool { return m.inMessage }

// Pending returns the command that waits for Apply; 0 if none does.
func (m *Machine) Pending() Code { return m.pending }

// Agreed sets what was negotiated.
func (m *Machine) Agreed(a Agreement) {
	m.granted, m.wire = a.Granted.Steps, a.Wire.Steps
	m.agreed = true
}

// A Turn is what a command means where the session stands.
type Turn struct {
	// Aborts is the state of a message that the command gives up; StateInvalid if
	// it gives up none. The machine is then in StateAbort and waits for Apply.
	// After that the command, unless it is the abort itself, is to be received
	// again.
	Aborts State

	Begins  bool   // a message begins
	Pending bool   // handlers are to be told, and the machine waits for Apply
	Answer  Status // the answer when they are not; Default if there is none
}

// Receive moves m on by a command. A command out of order is a [*StateError]
// and changes nothing. While an answer is pending, only quit and
// quit-new-connection are in order, and within a message what gives it up. A
// quit does not wait for the end of an abort: the message has then ended. After
// a quit nothing is in order until Renew.
func (m *Machine) Receive(c Code) (Turn, error) {
	if !c.IsCommand() || m.state == StateFinished || m.state == StateQuitReplied {
		return Turn{}, m.outOfOrder(c)
	}
	switch s := &onCommand[c]; {
	case c == CodeMacro:
		return Turn{}, nil
	case s.givesUp && m.inMessage && m.pending != CodeAbort:
		return m.abandon(), nil
	case c == CodeQuit || c == CodeQuitNewConnection:
		if m.pending == CodeAbort {
			m.aborted()
		}
		m.pending = 0
		m.state = StateQuitReplied
		return Turn{}, nil
	case m.pending != 0:
		return Turn{}, m.outOfOrder(c)
	case c == CodeAbort:
		if m.agreed {
			m.state, m.verdict = StateAbortReplied, StatusDefault
		}
		return Turn{}, nil
	default:
		return m.take(c, s)
	}
}

// abandon begins the end of a message that is given up.
func (m *Machine) abandon() Turn {
	t := Turn{Aborts: m.state, Pending: true}
	m.state, m.pending = StateAbort, CodeAbort
	return t
}

// take moves m on by a command that has an answer.
func (m *Machine) take(c Code, s *step) (Turn, error) {
	begins := s.place > 0 && m.agreed && !m.inMessage && (c == CodeMailFrom || m.granted.Has(StepNoMail))
	if !begins && !m.allows(s) {
		if s.from == inMessage && !m.inMessage && m.verdict != StatusDefault {
			return Turn{Answer: m.answer(c, m.verdict)}, nil // the rest of what was refused or accepted
		}
		return Turn{}, m.outOfOrder(c)
	}
	if c == CodeBody && m.skipping {
		return Turn{Answer: m.answer(c, StatusContinue)}, nil
	}
	m.enter(c, s, begins)
	if step := NoEvent(c); step != 0 && m.granted.Has(step) { // the MTA could not leave it out
		m.state++
		m.status = StatusContinue
		return Turn{Begins: begins, Answer: m.answer(c, StatusContinue)}, nil
	}
	m.pending = c
	return Turn{Begins: begins, Pending: true}, nil
}

// allows reports whether a command that begins no message may come now.
func (m *Machine) allows(s *step) bool {
	switch s.from {
	case offering:
		return m.state == StateStart || m.renewed
	case opening:
		return m.agreed && !m.opened
	case negotiated:
		return m.agreed
	default: // within a message
		return m.inMessage && (s.place > m.place || s.again && s.place == m.place)
	}
}

// enter sets the state of c.
func (m *Machine) enter(c Code, s *step, begins bool) {
	m.state, m.last, m.renewed = s.enters, s.enters, false
	if begins {
		m.inMessage, m.skipping = true, false
	}
	if s.place > 0 {
		m.place = s.place
	}
	if c != CodeNegotiate && c != CodeUnknown {
		m.opened, m.verdict = true, StatusDefault
	}
}

func (m *Machine) outOfOrder(c Code) error { return &StateError{m.state, c} }

// An Effect is what a status does. In a negotiation, Continue and AllOptions are
// written as an [Agreement].
type Effect struct {
	Status Status // the status that took effect
	Answer Status // the status whose packet is to be written; Default if none is
	Ends   bool   // the message has ended
}

// Apply answers the command last received. A status that may not answer it is
// replaced by fallback and reported as a [*StatusError]; the Effect is good in
// either case. Progress leaves the answer pending. Applying when nothing is
// pending is ErrInvalidState.
func (m *Machine) Apply(s, fallback Status) (Effect, error) {
	switch c := m.pending; {
	case c == 0:
		return Effect{}, ErrInvalidState
	case s == StatusProgress:
		return Effect{Status: s}, nil
	case c == CodeAbort:
		return m.aborted(), nil
	default:
		s, err := m.judge(c, s, fallback)
		return m.apply(c, s), err
	}
}

// apply makes s, which may answer c, take effect.
func (m *Machine) apply(c Code, s Status) Effect {
	m.pending = 0
	m.state++
	m.status = s
	e := Effect{Status: s, Answer: m.answer(c, s), Ends: m.inMessage && endsMessage[s].has(c)}
	switch {
	case e.Ends:
		m.endMessage()
		if c != CodeEndOfMessage {
			m.verdict = s
		}
	case s == StatusSkip:
		m.skipping = true
	}
	return e
}

// aborted ends a message that is given up. A verdict it had stays.
func (m *Machine) aborted() Effect {
	m.pending = 0
	m.state = StateAbortReplied
	switch m.status {
	case StatusDefault, StatusContinue, StatusNoReply, StatusSkip:
		m.status = StatusAbort
	}
	m.endMessage()
	return Effect{Status: m.status, Ends: true}
}

func (m *Machine) endMessage() {
	m.inMessage, m.skipping, m.place, m.verdict = false, false, 0, StatusDefault
}

// judge returns the status that takes effect when s answers c.
func (m *Machine) judge(c Code, s, fallback Status) (effective Status, err error) {
	switch {
	case s == StatusDefault:
		s = noOpinion(c)
	case s == StatusNoReply && NoReply(c) != 0 && !m.granted.Has(NoReply(c)):
		s, err = StatusContinue, &StatusError{c, s} // it plainly means to go on
	case !s.Answers(c, m.granted):
		s, err = m.instead(c, fallback), &StatusError{c, s}
	}
	if m.Silent(c) && s != StatusContinue && s != StatusNoReply && s != StatusSkip {
		if err == nil {
			err = &StatusError{c, s}
		}
		s = StatusContinue // the MTA has gone on already
	}
	return s, err
}

// noOpinion returns what Default means as the answer to c.
func noOpinion(c Code) Status {
	if c == CodeNegotiate {
		return StatusAllOptions
	}
	return StatusContinue
}

// instead returns the status for one that may not answer c.
func (m *Machine) instead(c Code, fallback Status) Status {
	switch {
	case c == CodeNegotiate:
		return StatusReject
	case fallback == StatusDefault || fallback == StatusProgress || !fallback.Answers(c, m.granted):
		return StatusContinue
	}
	return fallback
}

// Silent reports whether the MTA was told to wait for no answer to c.
func (m *Machine) Silent(c Code) bool {
	step := NoReply(c)
	return step != 0 && m.wire.Has(step)
}

// answer returns the status whose packet tells the MTA of s. What it cannot do by
// itself is made up for: it is told to continue.
func (m *Machine) answer(c Code, s Status) Status {
	switch {
	case m.Silent(c):
		return StatusDefault
	case s == StatusNoReply, s == StatusSkip && !m.wire.Has(StepSkip):
		return StatusContinue
	}
	return s
}

// Finish moves m to StateFinished from any state.
func (m *Machine) Finish() { m.state, m.pending, m.inMessage = StateFinished, 0, false }

// Renew makes m ready for another SMTP client on the same connection, after
// quit-new-connection and Finish. What was agreed on stays; without an agreement
// m is in StateStart.
func (m *Machine) Renew() {
	*m = Machine{state: StateStart, last: StateStart, agreed: m.agreed, granted: m.granted, wire: m.wire}
	if m.agreed {
		m.state, m.last, m.renewed = StateNegotiateReplied, StateNegotiate, true
	}
}

// Set puts m into a state, without a check. It is for tests and tools.
func (m *Machine) Set(s State, st Status) {
	*m = Machine{
		state: s, last: m.last, status: st, granted: m.granted, wire: m.wire,
		inMessage: StateEnvelopeFrom <= s && s <= StateEndOfMessage,
		agreed:    s >= StateNegotiateReplied,
		opened:    s >= StateConnect,
	}
	for c := range onCommand {
		step := &onCommand[c]
		if step.enters == 0 || step.enters != s && step.enters+1 != s {
			continue
		}
		m.place = step.place
		if step.enters == s && s < StateQuit {
			m.last = s
			m.pending = Code(c)
		}
	}
}
