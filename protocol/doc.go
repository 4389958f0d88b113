// Package protocol is the milter protocol: its packets, its state machine, and
// what is legal when. It does no input or output, starts no goroutine, reads no
// clock and writes no log. It imports the standard library only.
//
// An MTA sends commands and a milter answers. Everything is a packet: a length,
// a [Code], a payload. Take packets from received bytes with [Frame], turn them
// into commands with a [Decoder], ask a [Machine] what a command means where
// the session stands, and append the answer with the Append functions. The MTA's
// half is here too: every command has an Append, and [DecodeAnswer] reads what
// a milter sends.
//
// Strings on the wire are bytes without a charset. They are handed out as
// [View], which is borrowed; a string is owned.
//
// # Changes to a message
//
// The functions from [AppendAddHeader] to [AppendQuarantine] check what they are
// given. An empty name, address or reason is ErrEmpty, bytes that cannot be sent
// are ErrInvalidArgument, both in an [*ArgumentError]; then nothing is appended.
//
// A header name is of printable ASCII without a colon. A header value has no NUL;
// its lines are separated by LF or CRLF, and each but the first begins with a
// space or a tab. Addresses, parameters and reasons have no NUL, CR or LF. An
// index is 0 to 2147483647.
//
// # Sources
//
// There is no standard. The protocol is what Sendmail's libmilter and the MTAs do:
// Sendmail 8.17 and Postfix since 2.3, protocol versions 2 to 6. Names and
// numbers are those of libmilter's headers; where MTAs differ, what keeps both in
// step is done.
package protocol
