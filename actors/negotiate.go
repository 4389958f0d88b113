package actors

import (
	"log/slog"

	"millstream/protocol"
)

// request returns what is asked of an MTA, as it follows from the handlers and the
// configuration.
func (s *session) request() protocol.Request {
	req := protocol.Request{
		Actions: s.gen.cfg.Actions,
		Steps:   s.wants.Steps(),
		Macros:  s.gen.cfg.Macros,
	}
	if req.Actions == 0 {
		req.Actions = s.offer.Normal().Actions
	}
	return req
}

// agree ends a negotiation that is answered with a status, and writes what both sides
// agree on. It returns what the answer comes to: Reject if they do not, or the handler
// failed.
func (s *session) agree(status protocol.Status, failed bool) protocol.Status {
	req, n := s.request(), s.negotiation
	s.negotiation = nil
	if n != nil {
		req = s.control.Request(n, status)
	}
	if failed {
		status = protocol.StatusReject
	}
	if status == protocol.StatusReject || !status.Answers(protocol.CodeNegotiate, 0) {
		s.sys.Refuse(RefusedHandler)
		return status
	}
	agreed, err := protocol.Agree(s.offer, req)
	if err != nil {
		s.turnedAway(err)
		s.report(err, "")
		s.why = err
		return protocol.StatusReject
	}
	s.control.Agree(agreed)
	s.loop.out = agreed.Append(s.loop.out)
	if !s.offer.Normal().Actions.Has(protocol.ActionSetSymbolList) && !req.Macros.Empty() {
		s.log(slog.LevelWarn, "MTA takes no list of macros: its own settings count")
	}
	return status
}

// refuse ends a connection that was not agreed on. An MTA takes any answer but an
// agreement for a failure of the filter; a reject makes for a clear line in its
// log.
func (s *session) refuse() {
	s.loop.out = protocol.AppendReply(s.loop.out, protocol.StatusReject, nil)
	s.finish(s.why)
}
