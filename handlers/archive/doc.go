// Package archive keeps a copy of each mail: in a maildir, or with a recipient who is
// added to it. It is the type "archive" of a configuration:
//
//	[[handler]]
//	type = "archive"
//	maildir = "/srv/archive/mail"
//	folder = "month"
//	file_mode = "0640"
//	dir_mode = "0750"
//	max_size = 50000000
//	too_large = "truncate"
//
//	[[handler]]
//	type = "archive"
//	name = "archive-bcc"
//	bcc = "archive@example.com"
//
// Put it before handlers that change messages, as the copy is of what came, and before
// those that accept: a message that somebody accepts before its end, or that a handler in
// front accepts at its end, has no copy. The log says so the first time.
//
// # The copy
//
// A copy in a maildir is a file that begins with the envelope, followed by the message:
//
//	X-Envelope-From: <alice@example.com>
//	X-Envelope-To: <bob@example.net>
//	X-Envelope-To: <carol@example.net>
//
// There is one line for each recipient that nobody had refused when the file was begun:
// at the first 64 KiB, or at the end of the message. Of more than 10000 recipients, or what
// else a server keeps, the rest is left out. A message may have come with such fields of its
// own: the topmost are ours. There is no Return-Path and no Delivered-To, which mail servers
// take for their own when a copy is sent again.
//
// Lines end in LF, as is the rule in maildirs. Otherwise the message is what the MTA passes
// on, which has no Received of its own yet. MTAs leave out one space after the colon of a
// header field; it is put back, but for an empty value and one that begins with a tab or a
// line break. So what differs are fields without white space there, and empty ones with it:
// "Subject:hello" becomes "Subject: hello". A DKIM signature with relaxed headers does not
// mind. With exact_headers the MTA is asked to leave nothing out, which it then does for
// all handlers: values begin with their space, and those that are added need one.
//
// # The maildir
//
// The directory must be there, and be empty or a maildir; what is missing in it is made
// when the first message comes. A file is written in tmp, under the name
//
//	1795369200.M482913P4711R9f86d081884c7d65.mx.example.com
//
// that no other file ever has: time, process, chance and host. It is moved to new when the
// message was taken. With folder it goes to a folder of the year, month or day instead, by
// the local time at the end of the message: .2026, .2026.11 or .2026.11.22, which Maildir++
// shows as folders within each other. What was left in tmp by a crash, and not touched for
// 36 hours, is removed by the way, once an hour; files with other names are not ours, and
// stay.
//
// # When it counts
//
// The copy is whole, and with sync on the disk, before the end of the message is answered.
// It is moved to new once the message was taken, or held. If a handler refuses the message or
// discards it, if the MTA gives it up or is gone before the answer, the copy is removed. In
// between there is a window: if this program dies after the answer, before the move, the
// message is delivered and its copy stays in tmp. The other way round, a copy stays of a
// message that another milter or the MTA refuses after our answer, and of one whose
// connection breaks before the MTA has read the answer: the client will send that again, and
// there will be two.
//
// # When something fails
//
// If the maildir is gone, full, or may not be written to, the handler fails for that
// message: the server logs it once, and answers as the configuration says, else that
// the client is to try again. Nothing is left of that copy. If only the last step fails,
// the move to new, the message is taken already: a line in the log names the file, which
// stays in tmp for 36 hours. What can be seen when the server starts keeps it from
// starting: a directory that is missing, is no maildir, or may not be written to.
//
// A slow disk makes the MTAs wait whose messages are written, and nobody else: files are
// touched off the event loop. One that hangs, as a network disk may, is waited for as long
// as timeout says, and then on_timeout answers; what is written too late is removed. Where
// 16 copies hang on_timeout answers for the next ones at once, until one of those is done:
// each keeps a thread. Make maildir a directory within what is mounted, not the place it is
// mounted on: otherwise copies go to the disk below when the mount is missing.
//
// What is measured is the same for all handlers: milter.handler.duration has its calls by
// name and result, and traces have a span for each. Watch the result failed, and the time:
// it is that of the disk.
//
// # Limits
//
// A message costs up to about 64 KiB of memory and one packet of its body, or its header
// where that is longer. A header of over 1 MiB is not kept: it is a failure. A message of more than
// max_size bytes, counted as in its copy but without the envelope, is left alone, cut or
// a failure, as too_large says; the log has a line for each. Where copies may be cut, each
// has a field that tells:
//
//	X-Archive-Truncated: yes
//
// # Cost
//
// For a copy the MTA is asked for recipients, headers and the body, and waits for answers
// to the pieces of the body; for an added recipient, for nothing. It runs off the event loop
// for each 64 KiB, at the end of the message, and when that was answered. With sync each
// message waits for the disk twice.
package archive
