// Package access accepts and refuses mail by lists: of networks, host names, senders,
// recipients. It is the type "access" of a configuration:
//
//	[[handler]]
//	type = "access"
//
//	[[handler.rule]]
//	look_up = "recipient"
//	entries = ["postmaster@", "abuse@"]
//	action = "continue"
//
//	[[handler.rule]]
//	look_up = "client"
//	files = ["/etc/millstream/clients"]
//	action = "reject"
//	code = 554
//	enhanced = "5.7.1"
//	text = """
//	Your network is not welcome here.
//	Call +1 555 0100 if you think it should be."""
//
//	[[handler.rule]]
//	look_up = "sender"
//	files = ["/etc/millstream/senders"]
//	entries = ["newsletter@example.com", ".example.net 450 4.7.1 not today"]
//	action = "discard"
//
// # Rules
//
// Rules are asked in their order, and the first of which an entry fits decides. What is
// looked up, and when it is known:
//
//	client            address of the SMTP client              connect   networks
//	client_name       its host name, as the MTA verified it   connect   domains or names
//	helo              the name that it gave                   helo      domains or names
//	sender            envelope sender                         MAIL      addresses or names
//	sender_domain     its domain                              MAIL      domains or names
//	recipient         a recipient                             RCPT      addresses or names
//	recipient_domain  its domain                              RCPT      domains or names
//
// A rule waits for those before it: behind a rule about recipients even the client is
// looked up for each recipient. So the rules above take mail for the postmaster from
// anybody, and refuse the listed clients at RCPT; with the first rule left out they would
// be refused when they connect.
//
// The entries of a rule are those of lists, which have a name elsewhere in the
// configuration, then of files, then its own. Package lists says how they are written and
// what they fit. The last column is what kinds of lists a rule can have; kind says so if
// it is not the first.
//
// # What becomes of it
//
//	action                 what is done
//	accept                 the client or message is taken, and no other handler is asked
//	continue               no further rule is asked; the handlers after this one are
//	reject, tempfail       refused for good or for now: the client, the message or the recipient
//	discard                the message is taken and dropped, or the recipient left out of it
//	quarantine             the message is held, with text as the reason
//
// Rules that are asked at RCPT decide for one recipient alone. They cannot accept or
// quarantine, which is about whole messages, and discard takes the recipient out of the
// message; one that has no other recipient is dropped.
//
// The value of an entry comes before the action of the rule. It is written as in the
// access tables of Postfix, in any letter case:
//
//	OK, CONTINUE           continue
//	DUNNO                  as if the entry were not there
//	REJECT text            reject; text may begin with a code, an enhanced code or both
//	DEFER text, TEMPFAIL   tempfail, likewise
//	550 5.7.1 text         reject, and 4xx tempfail; the enhanced code may be left out
//	HOLD reason            quarantine, also QUARANTINE
//	DISCARD, ACCEPT        discard, accept
//
// In a text \n begins another line. What a value leaves out comes from the rule, if that
// has the same action, or else is 554 5.7.1 access denied, 451 4.7.1 try again later. With
// values = "ignore" the values are notes, and the action is that of the rule.
//
// # When something fails
//
// A list that is missing or broken when the server starts keeps it from starting: each
// mistake is told with its file and line, values that mean nothing too. Later the last good
// list stays in use, and the log tells what is wrong with the file. A new list counts from
// the next step of a session on. A message that the MTA cannot hold, or recipients that it
// does not let go, are answered as a failure of the handler: refused for now, if the
// configuration does not say otherwise.
//
// What is measured is the same for all handlers: milter.handler.duration has its calls by
// name and result, and traces have a span for each.
//
// # Cost
//
// The MTA is asked for the events that the rules are about, and waits for answers at the
// steps at which a rule is asked and at the end of a message, where it does anyway. The
// filter runs on the event loop: a client that is in no list costs 0.15 µs at connect and
// 0.4 µs for each recipient, where five rules with a million entries each are asked. It
// allocates only for what is in a list. Package lists tells the memory: 56 MB for a million
// networks, 38 MB for a million names.
package access
