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

// agree ends a negotiation: it writes what both sides agree on, or refuses.
func (s *session) agree() {
	req := s.request()
	n := s.negotiation
	s.negotiation = nil
	if n != nil {
		if s.answer.Status == protocol.StatusReject {
			s.sys.Refuse(RefusedHandler)
			s.refuse(nil)
			return
		}
		req = s.control.Request(n, s.answer.Status)
	}
	agreed, err := protocol.Agree(s.offer, req)
	if err != nil {
		s.turnedAway(err)
		s.report(err, "")
		s.refuse(err)
		return
	}
	s.control.Agree(agreed)
	s.loop.out = agreed.Append(s.loop.out)
	if !s.offer.Normal().Actions.Has(protocol.ActionSetSymbolList) && !req.Macros.Empty() {
		s.log(slog.LevelWarn, "MTA takes no list of macros: its own settings count")
	}
}

// refuse ends a connection that cannot be agreed on. An MTA takes any answer but an
// agreement for a failure of the filter; a reject makes for a clear line in its
// log.
func (s *session) refuse(why error) {
	s.loop.out = protocol.AppendReply(s.loop.out, protocol.StatusReject, nil)
	s.finish(why)
}
