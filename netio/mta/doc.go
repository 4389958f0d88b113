// Package mta is the MTA's side of a connection, for tests, tools and load. It
// blocks, and imports package protocol and the parser of addresses that it shares
// with netio, netio/internal/addr.
//
//	c, err := mta.Dial(ctx, "inet:8890@127.0.0.1")
//	...
//	defer c.Close()
//	_, _, err = c.Negotiate(mta.Offer())
//	...
//	answer, changes, err := c.Do(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")})
//
// A [Conn] obeys what was agreed on, as an MTA does, so one sequence of calls is
// good for every milter. A command that the milter does not want is not sent, only
// its macros are; one that it does not answer is not waited for. In either case
// [Conn.Do] returns the zero Answer, whose status is Default: go on.
//
// It is as strict as MTAs are, too. An answer that may not come where it comes, a
// change that was not agreed on, or bytes behind a verdict are an error, which is
// protocol.ErrProtocol. After an error a Conn is of no more use but to be closed.
//
// Whole messages are sent with [Conn.Greet], once for an SMTP client, and
// [Conn.Deliver], once for each of its messages.
package mta
