// Package script reads, prints and plays session scripts: what an MTA says to a
// milter and what it hears, as a mail administrator would write it down.
//
//	# A sender is refused. Nothing of the message follows.
//	filter answers everything
//	filter on envelope-from: reject 550 5.7.1 not welcome
//	watch message-processed
//
//	-> negotiate
//	<- negotiate 6 actions=all steps=skip
//	-> mail <a@example> SIZE=10
//	<- reject 550 5.7.1 not welcome
//	event message-processed reject envelope-from-replied
//	state envelope-from-replied
//
// # Lines
//
// A line that begins with # is a comment. The others begin with one of these:
//
//	->        what the MTA sends, in a write of its own
//	+>        what it sends in the same write as the line before
//	<-        what the milter answers, in order
//	<~        how its answer begins; the rest of that line may be anything
//	wait      time passes
//	state     the state of the session, such as helo-replied
//	event     what handlers are told, of the events that are watched
//	writes    how often the milter has written since the MTA's last line
//	filter    what the milter does
//	config    how the milter is set up
//	watch     which events have lines
//
// What follows a line of the MTA, or a wait, is all that comes of it. The last
// three stand at the top. They, and state, event and writes, are for those who
// make the milter or see into it: others take no notice.
//
// # Commands
//
//	negotiate [VERSION] [actions=SET] [steps=SET]
//	macro COMMAND NAME=VALUE...
//	connect HOST inet:PORT@ADDRESS | inet6:PORT@ADDRESS | unix:PATH | unknown
//	helo NAME
//	mail ADDRESS [PARAMETER...]
//	rcpt ADDRESS [PARAMETER...]
//	data
//	unknown TEXT
//	header NAME: TEXT
//	end-of-header
//	body TEXT
//	end-of-message [TEXT]
//	abort
//	quit
//	quit-new-connection
//	raw BYTES        any bytes: pairs of hexadecimal digits, and strings
//	close            the MTA closes the connection
//	reset            the connection breaks
//
// What is not said of negotiate is what MTAs of today offer: version 6 and all
// there is. A SET is none, all, names such as skip|no-helo, or a number such as
// 0x13f.
//
// # Answers
//
//	negotiate VERSION actions=SET steps=SET [COMMAND-macros=NAME,NAME...]
//	continue, accept, discard, skip, progress
//	reject [TEXT]    with the text of an SMTP reply: 550 5.7.1 no
//	tempfail [TEXT]
//	add-header NAME: TEXT
//	insert-header INDEX NAME: TEXT
//	change-header INDEX NAME: TEXT
//	change-from ADDRESS [PARAMETERS]
//	add-recipient ADDRESS [PARAMETERS]
//	delete-recipient ADDRESS
//	replace-body TEXT
//	quarantine TEXT
//	raw BYTES        a packet that makes no sense
//	nothing          no answer comes, for a moment
//	close            the milter closes the connection
//
// # Words and texts
//
// A word ends at a space; a TEXT is the rest of the line. With anything in it that
// does not print, with spaces where they would be lost, and if it is empty, it
// stands between quotes as in Go: "", "two words", "Hello\r\n", "\xff". Behind a
// quoted TEXT *N repeats it: "x"*70000.
//
// # Filters
//
//	filter answers EVENT...     the events that are answered; everything is all
//	filter observes EVENT...    the events that are only watched
//	filter on EVENT: DO         what is done at an event, which is answered
//	filter on EVENT WORD: DO    the same, for this address, name or host
//
// Several lines for an event are done in order. DO is an answer of those above
// without close and nothing, which for changes means to ask for them, or
//
//	reject 550 5.7.1 TEXT     tempfail too: with the text for the SMTP client
//	no-reply, all-options     the other statuses
//	after DURATION            what follows, later
//	hang                      no answer until it is not wanted any more
//	panic TEXT
//	flush                     writes the changes so far
//	clear-error               forgets the change that failed
//	tell-macros NAME...       adds a header X-Macro for each
//	ask actions=SET steps=SET
//	ask-macros COMMAND NAME...
//	require SET               in a negotiation
//	packet-buffer BYTES
//	timeout DURATION
//
// A filter that says nothing more has no opinion.
package script
