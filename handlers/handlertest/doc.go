// Package handlertest runs a handler in a test: without network, actor or clock,
// and with the state machine of a real session.
//
//	func TestBlocklist(t *testing.T) {
//		s := handlertest.New(t, Blocklist("spam@example.com"))
//		out := s.Do(&protocol.MailFrom{Addr: protocol.View("<spam@example.com>")})
//		if out.Status != protocol.StatusReject {
//			t.Errorf("status = %v, want reject", out.Status)
//		}
//	}
//
// A [Session] plays the MTA. Do sends one command; Send sends a whole message, as
// far as the handler takes it; Macros comes before the command it is for. An
// [Outcome] tells the answer, the changes to the message and the packets that
// would be written. What else a session reports is gathered: Failures has the
// errors, Results what became of the messages.
//
//	s.Macros(protocol.CodeEndOfMessage, "i", "4F1bN71jzQ")
//	out := s.Send(handlertest.Mail{From: "<a@example.com>", To: []string{"<b@example.net>"}})
//	for _, change := range out.Changes {
//		t.Logf("%v %s: %s", change.Code, change.Name, change.Value)
//	}
//
// A [Log] is where the handler logs to, if it is given a logger.
//
// The handler is told of all that a real session would tell it, in the same order:
// of answers, failures, messages given up and results too. Pending replies are
// waited for, however they come: from Go, Blocking, Async or Progress. For time,
// run the test in a bubble of testing/synctest.
//
// The bytes that a handler borrows are overwritten with question marks as soon as
// its function has returned, before a pending reply is waited for. So a View that
// was kept shows, and one that a function of Async uses.
//
// # The negotiation
//
// Unless Negotiate is called first, the MTA is one that offers everything, and the
// negotiation goes before whatever is done first, Control and Machine included. The
// handler is told of it. To see what a handler does with an MTA that can do less,
// call Negotiate with an offer, or take an action away later:
//
//	s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddHeaders })
//
// # What it does not do
//
// There are no deadlines, no progress by itself, and no check of how long a
// function holds the event loop. An MTA that does something while an answer is
// pending needs a whole session: actors.Offline is one, bytes and time included.
package handlertest
