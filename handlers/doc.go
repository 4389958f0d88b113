// Package handlers is how a program takes part in the filtering of mail.
//
// A mail server that is asked to (Postfix, Sendmail, and others; MTA in what
// follows) tells a filter of each SMTP client, of each message, and of each step on
// the way: who connects, who sends, to whom, the headers, the body. At each step the
// filter may refuse or accept, and at the end of a message change it.
//
// A filter is a function of a session and an event. Three verbs make a [Handler] of
// it:
//
//	handlers.Go(f)       f answers, and may block: it has a goroutine of its own
//	handlers.On(f)       f answers at once: it runs on the event loop
//	handlers.Observe(f)  f watches: it decides nothing, and the MTA need not wait
//
// The type of f says which event it takes, and [Chain] joins handlers:
//
//	filter := handlers.Chain(
//		handlers.On(func(s *handlers.Session, c *protocol.MailFrom) handlers.Reply {
//			if blocked[c.Mailbox().String()] {
//				return handlers.Reject.With(550, "5.7.1", "you are not welcome here")
//			}
//			return handlers.Continue
//		}),
//		handlers.Go(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
//			verdict, err := scanner.Check(s.Context(), s.Macro("i"))
//			if err != nil {
//				return handlers.TempFail.With(451, "4.7.0", "scanner not available")
//			}
//			m.AddHeader("X-Scanned", verdict)
//			return handlers.Accept
//		}),
//	)
//
// What is asked of the MTA follows from the functions: events that none takes are
// not sent, and those that are only observed are not answered. A server takes a
// [Factory], which makes the handler of each connection; [Shared] is the one for a
// handler that all of them can use.
//
// # Events
//
// These are the events of a session. Go and On take those of the first part, Observe
// takes all.
//
//	event                   type                   when
//	negotiate               *Negotiation           first: what the MTA offers, and what is asked of it
//	connect                 *protocol.Connect      an SMTP client connected
//	helo                    *protocol.Helo         HELO or EHLO; again after STARTTLS
//	envelope-from           *protocol.MailFrom     MAIL: a message begins
//	envelope-recipient      *protocol.RcptTo       RCPT, once for each recipient
//	data                    *protocol.Data         DATA
//	header                  *protocol.Header       once for each header field, in order
//	end-of-header           *protocol.EndOfHeader  after the last of them
//	body                    *protocol.Body         a piece of the body
//	end-of-message          *Message               the message is whole, and can be changed
//	unknown                 *protocol.Unknown      an SMTP command the MTA does not know
//	abort                   *Abort                 the message is given up; the answer is not used
//
//	connection-established  *Established           before anything else
//	define-macro            *protocol.Macro        before the command that the macros are for
//	response                *Response              what was answered to one of the events above
//	message-processed       *Result                what became of a message, however it ended
//	timeout                 *Timeout               the MTA was silent for too long
//	error                   *Failure               something went wrong
//	finished                *Finished              last of all
//
// A message begins with envelope-from and ends with its answer, or when it is given
// up. Then comes its Result, once for each message, also for one that was aborted or
// whose MTA is gone. Any number of messages may follow each other on a connection.
//
// An event comes in this order: its functions are called; the errors that this led
// to are told; the answer is told; if the message has ended, its Result is told.
//
// # Order
//
// The functions of one session run one at a time, in the order of the events. This
// holds after an abort too: a function of Go, Blocking or Async whose context has
// ended is waited for before the session calls the next one. So what belongs to one
// session needs no lock. A handler that is shared by sessions is called by many at
// once.
//
// # Borrowed and owned
//
// The Views of an event given to On or Observe are borrowed until the function
// returns: they are parts of a buffer that is then used again, and so are the event
// itself, its Session and a Response. Clone and String make copies to keep. Events
// given to Go, or to anything in Blocking, are owned, and so is a Message, a
// Negotiation, a Result. Strings are always owned.
//
// # Answers
//
// An answer is a [Reply]. These are all, and what they do:
//
//	Continue    go on; at the end of a message, take it
//	Accept      take the message, or all from this client, and ask no more about it
//	Reject      refuse for good
//	TempFail    refuse for now
//	Discard     take the message and drop it silently
//	Skip        no more of the body: the end of the message is next
//	NoReply     go on without an answer, where the negotiation agreed on that by hand
//	AllOptions  in a negotiation: all that is offered
//	Reply{}     no opinion: Continue, or AllOptions
//
// Reject and TempFail refuse the message; at connect and helo the client; at
// envelope-recipient and unknown only the recipient and the command. Accept and
// Discard at envelope-recipient are about the whole message. This may answer what:
//
//	negotiate                          Continue Reject AllOptions
//	connect, helo                      Continue Accept Reject TempFail
//	envelope-from, envelope-recipient  Continue Accept Reject TempFail Discard
//	data, header, end-of-header        Continue Accept Reject TempFail Discard
//	body                               Continue Accept Reject TempFail Discard Skip
//	end-of-message                     Continue Accept Reject TempFail Discard
//	unknown                            Continue Reject TempFail
//
// With gives Reject and TempFail the text that the SMTP client is to see: a code of
// 5xx or 4xx, an enhanced code such as "5.7.1" or none, and lines of plain text. It
// does not fail at the call: what is wrong with the text is reported when the reply
// is used, and costs the text, not the verdict.
//
// # Pending answers
//
// A function of Go may take its time: its goroutine waits, and the event loop does
// not. The Context of its Session ends when the answer is no longer wanted: at an
// abort, at the end of the connection, at the deadline of the server. The function
// should then return. [Blocking] does the same for any handler.
//
// A function of On can look first and answer later: [Async] has a function work out
// the reply in a goroutine, [Progress] gives a [Resolve] to call when the answer is
// there, from anywhere. Then makes another reply of one, known or pending.
//
// # Chains
//
// A chain asks its members in order, those that take the event. The first answer
// other than Continue, NoReply and no opinion is that of the chain, and the rest are
// not asked: Accept ends the message for all. A member that only wants no more for
// itself returns Continue. A pending answer is waited for.
//
// Skip is for one member: it is told of no more of the body, the others are, and the
// chain answers Skip when all have skipped. In a negotiation all members are asked
// and edit the same request; Reject wins, then Continue. Events without an answer,
// and an abort, are told to all members.
//
// [Named] gives a member a name. It is told with what the member decides: in
// Result.By, in the log, in traces and measurements.
//
// [Around] makes a [Middleware] of a function that sees each event before a handler
// does, and each reply after it.
//
// # The negotiation
//
// When an MTA connects it offers what it can do, and is asked for what the handlers
// need:
//
//   - not to send the events that nobody takes (envelope-from always comes);
//   - not to wait for an answer to those that are only observed. What runs in
//     Blocking counts as answered, observers too: the wait of the MTA is what keeps a
//     slow function from being flooded. For the same reason envelope-from is answered
//     where work at the end of a message may hold up what follows;
//   - to take Skip as an answer to a piece of the body.
//
// What an MTA cannot do is made up for: an event that comes all the same is answered,
// and not told.
//
// A Session and a Result know of clients, recipients and headers only if these are
// sent. [Need] has events sent that no function takes.
//
// A function of *[Negotiation] can look at the offer and edit the request: Require
// an action, RequestMacros, SetActions, SetSteps. Continue asks for what was edited,
// AllOptions for all that is offered, Reject ends the connection.
//
// # Changes to a message
//
// The methods of a *[Message] change it: headers, sender, recipients, body,
// quarantine. They return nothing. As with a bufio.Writer the first error sticks,
// and unless the function takes it with ClearErr, the session answers its failure
// status, so that no message passes half changed. Can asks before what an MTA
// allows. An observer of the end of a message may change it too.
//
//	m.DeleteRecipient("<old@example.net>")
//	if m.Can(protocol.ActionAddRecipientWithParams) {
//		m.AddRecipient("<new@example.net>", "NOTIFY=NEVER")
//	}
//	io.Copy(m.Body(), body)
//
// # State
//
// What belongs to one connection is what the function of a [Factory] closes over. It
// is let go in the [Finished] event:
//
//	func Patience(s *handlers.Session) handlers.Handler {
//		refused := 0 // of this client
//		return handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
//			if known(c.Mailbox().String()) {
//				return handlers.Continue
//			}
//			if refused++; refused > 3 {
//				return handlers.TempFail.With(421, "4.7.0", "too many unknown recipients")
//			}
//			return handlers.Reject.With(550, "5.1.1", "no such user")
//		})
//	}
//
// What belongs to one message goes on the [Shelf] of the session, which is cleared
// when the message has ended. SetPrivate keeps a value for the connection where there
// is no Factory to do so. Macro tells what the MTA knows besides: "i" is the queue
// ID, "auth_authen" who has logged in, and so on.
//
// # Errors
//
// A handler that fails does not lose mail, and does not end the session: for a
// panic, an answer that is not legal, a message with an error, a deadline passed, the
// server answers its failure status, normally TempFail. What went wrong goes to the
// log of the server and to functions of *[Failure]. The type of the error tells what
// it was: a [*PanicError], a [*protocol.StatusError], an [*OpError]; all match with
// errors.Is what they are an instance of. [SlowError] is a function of On or Observe
// that has held the event loop for more than 5 ms: use Go or Blocking for it.
//
// [Within] gives a handler a deadline of its own, before that of the server. Package
// handlers/policy has one handler that fails answered otherwise than the others, and runs
// handlers of which nothing comes but a report.
//
// # Tests
//
// Package handlertest drives a handler through a session without a server:
//
//	s := handlertest.New(t, filter)
//	out := s.Do(&protocol.MailFrom{Addr: protocol.View("<spam@example.com>")})
//	if out.Status != protocol.StatusReject { ... }
//
// A [Control] is the other end of a Session. Servers and test kits hold it; a filter
// has no use for it.
package handlers
