package handlertest

import (
	"fmt"
	"math"

	"millstream/handlers"
	"millstream/protocol"
)

// Do tells the handler of an event and waits for its answer. Commands are cloned
// first. An event out of order fails the test.
//
// Some events are no commands. An Abort, a Timeout and a Finished happen to the
// session, with all that follows from them; the others are told to the handler as
// they are, if it takes them. A Negotiation and a Message are made by the session.
func (s *Session) Do(ev handlers.Event) Outcome {
	s.t.Helper()
	cmd, isCommand := ev.(protocol.Command)
	if isCommand && needsAgreement(cmd.Code()) {
		s.ready()
	}
	if s.ended {
		s.t.Fatalf("handlertest: %T after the end of the connection (%v)", ev, s.why)
	}
	s.outcome = Outcome{Event: handlers.KindOf(ev)}
	switch e := ev.(type) {
	case protocol.Command:
		s.outcome.Event = kindOf(e)
		s.command(s.borrow(cmd))
	case *handlers.Abort:
		s.give(e)
	case *handlers.Timeout:
		s.report(handlers.ErrTimeout)
		s.finish(handlers.ErrTimeout, e)
	case *handlers.Finished:
		if e.Err != nil {
			s.report(e.Err)
		}
		s.finish(e.Err, nil)
	case *handlers.Failure:
		s.failures = append(s.failures, e.Err)
		s.tell(e)
	case *handlers.Established, *handlers.Response, *handlers.Result:
		s.tell(e)
	default:
		s.t.Fatalf("handlertest: %T is no event that a test can make", ev)
	}
	return s.outcome.decode(s.t)
}

// needsAgreement reports whether a command may come only after the negotiation.
func needsAgreement(c protocol.Code) bool {
	switch c {
	case protocol.CodeNegotiate, protocol.CodeAbort, protocol.CodeQuit, protocol.CodeQuitNewConnection:
		return false
	}
	return true
}

// kindOf returns the kind of event that a command is, or leads to.
func kindOf(cmd protocol.Command) handlers.Kind {
	switch cmd.(type) {
	case *protocol.Quit, *protocol.QuitNewConnection:
		return handlers.KindFinished
	}
	return handlers.KindFor(cmd.Code())
}

// borrow returns cmd as it comes from the wire, in bytes that are not the test's.
func (s *Session) borrow(cmd protocol.Command) protocol.Command {
	s.t.Helper()
	s.packet = cmd.Append(nil)
	code, body, _, err := protocol.Frame(s.packet, math.MaxInt32)
	var got protocol.Command
	if err == nil {
		got, err = s.decoder.Decode(code, body)
	}
	if err == nil {
		err = checkAddr(cmd, got)
	}
	if err != nil {
		s.t.Fatalf("handlertest: no MTA sends this: %v", err)
	}
	return got
}

// checkAddr reports an address that does not go over the wire as it is, such as one
// without its family.
func checkAddr(cmd, got protocol.Command) error {
	c, ok := cmd.(*protocol.Connect)
	if !ok || c.Addr == (protocol.Addr{}) || c.Addr == got.(*protocol.Connect).Addr {
		return nil
	}
	a := c.Addr
	return fmt.Errorf("connect from IP %v, port %d, path %q with family %q", a.IP, a.Port, a.Path, rune(a.Family))
}

// giveBack overwrites what the handler borrowed for an event.
func (s *Session) giveBack(ev handlers.Event) {
	switch ev.(type) {
	case protocol.Command:
		for i := range s.packet {
			s.packet[i] = '?'
		}
	case *handlers.Response:
		s.response = handlers.Response{}
	}
}
