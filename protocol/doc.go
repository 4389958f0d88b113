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
// # States
//
// The state of a command lasts until its answer is known; then comes its replied
// state, at once if the command takes no answer. This is the order of a message:
//
//	envelope-from > envelope-recipient* > data > header* >
//	    end-of-header > body* > end-of-message
//
// Those with "*" may come again. Any but the first may be left out, and the first
// too if that was agreed on. What may come when, the state it brings, which answers
// it may have, and which of them end the message:
//
//	command              state               when               answers  that end
//	negotiate            negotiate           first of all       cro
//	connect              connect             once, before helo  cartn
//	helo                 helo                after negotiate !  cartn
//	envelope-from        envelope-from       after negotiate !  cartdn   artd
//	envelope-recipient   envelope-recipient  in a message       cartdn   ad
//	data                 data                once in a message  cartdn   artd
//	unknown              unknown             after negotiate    crtn
//	header               header              in a message       cartdn   artd
//	end-of-header        end-of-header       once in a message  cartdn   artd
//	body                 body                in a message       cartdsn  artd
//	end-of-message       end-of-message      once in a message  cartd    cartd
//	quit-new-connection  quit                at any time !
//	quit                 quit                at any time !
//	abort                abort               at any time !
//	define-macro         -                   at any time
//
// The letters are those of the packets: continue, accept, reject, tempfail,
// discard, skip; o is an [Agreement], n no reply where that was agreed on. An answer
// may be put off with [StatusProgress]. A command marked "!" gives up a message under
// way first: the state is then abort until handlers have dealt with that. An offer
// may also come first after quit-new-connection. What follows of a message that has
// ended early is answered as that was, until another one begins.
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
