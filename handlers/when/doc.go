// Package when has expressions over a mail session: conditions in front of a handler,
// and texts with values in them. It is for configurations; a filter written in Go has
// Go for this.
//
//	p, err := when.Compile(`!authenticated && !in_network("trusted")`, names)
//	...
//	h, err := when.Handler(p, greylist)
//
// All that can be wrong with an expression without a session is an error when it is
// compiled, with its line and column and, where a word is not known, the word that is
// most like it: unknown names, types that do not fit, a division by zero, a pattern that
// is none, a word that a name can never be, an expression that can never be true. The last is
// found where names are compared with constants: rcpt_count > 5 && rcpt_count < 3, tls &&
// !tls, hour > 23, sender_domain == "Example.com".
//
// # The language
//
// It is that of github.com/expr-lang/expr, or the part of it that ends soon whatever
// strangers send:
//
//	and or not && || !            == != < <= > >=         + - * / % **
//	in, not in: ["a", "b"]        in 8..17                c ? a : b
//	contains startsWith endsWith  matches "pattern"       let d = lower(helo); d == "x"
//
// Patterns are those of package regexp, and stand in quotes. Of a list, list[0] is the
// first element; there must be one. The functions
//
//	any all none one count filter find map    any(rcpts, # endsWith "@example.com")
//	len first last join split min max abs string lower upper trim trimPrefix trimSuffix
//	hasPrefix hasSuffix indexOf lastIndexOf
//
// are those of the language. Loops within loops, and lists and headers within loops, are
// refused, as they could take too long.
//
// # Names
//
// Each name is known from an event on. Texts are as they were sent, but for domains,
// which are in small letters; what there is not is "", 0 or an empty list.
//
//	name                  type    known from           what it is
//	client_addr           text    connect              address of the SMTP client; the path of one on a unix socket
//	client_name           text    connect              its host name, as looked up by the MTA; "[192.0.2.1]" if that failed
//	client_port           number  connect              its port
//	client_family         text    connect              "inet", "inet6", "unix" or "unknown"
//	listener              text    connect              the address that the MTA connected to, as configured
//	session               number  connect              the number of the session, which is in lines of the log
//	helo                  text    helo                 the name of HELO or EHLO
//	tls_version           text    helo                 macro tls_version: "TLSv1.3"
//	tls                   flag    helo                 the client uses TLS
//	auth_user             text    envelope-from        macro auth_authen: who has logged in
//	authenticated         flag    envelope-from        somebody has logged in
//	sender                text    envelope-from        the envelope sender without brackets; "" is the null sender
//	sender_domain         text    envelope-from        its domain
//	sender_params         list    envelope-from        the ESMTP parameters of MAIL
//	declared_size         number  envelope-from        the SIZE among them
//	rcpt                  text    envelope-recipient   the recipient under way, without brackets
//	rcpt_domain           text    envelope-recipient   its domain
//	rcpt_params           list    envelope-recipient   the ESMTP parameters of its RCPT
//	rcpts                 list    envelope-recipient   the recipients so far that were not refused; 10000 at most
//	rcpt_count            number  envelope-recipient   how many these are, the one under way among them
//	queue_id              text    data                 macro i
//	header_count          number  end-of-header        how many header fields there are
//	size_so_far           number  body                 bytes of the body so far
//	size                  number  end-of-message       bytes of the body
//	stage                 text    connect              the event: "connect", "helo", ..., "end-of-message", "unknown"
//	hour                  number  connect              0 to 23
//	weekday               text    connect              "monday", ...
//	now                   text    connect              the time in UTC: "2026-01-02T15:04:05Z"
//	begun                 text    envelope-from        the same for the begin of the message, with fractions of a second
//	took                  text    envelope-from        how long ago that is: "1.234ms"
//	header("Subject")     text    end-of-header        the first header field of a name, unfolded
//	headers("Received")   list    end-of-header        all of them
//	sender_param("BODY")  text    envelope-from        an ESMTP parameter of MAIL
//	rcpt_param("NOTIFY")  text    envelope-recipient   an ESMTP parameter of RCPT
//	macro("j")            text    its stage            a macro; macro("name", "helo") if it is not one of the usual
//	in_network("trusted") flag    connect              the client is in a network of [Names], or in "192.0.2.0/24"
//	in_list("vip", text)  flag    that of the text     the text is in a list of [Names]
//	result("x").verdict   text    that of [Names]      what an earlier handler found out: see [Record]
//	result("x").failed    flag    that of [Names]      whether it failed
//
// # When it is decided
//
// A [Program] can be decided from the event on at which the last of its names is known.
// A handler that takes earlier events of a client or a message is refused: [StageError]
// says which name is the cause. [Program.Needs] tells that event, and what the MTA has
// to send for it; [Handler] asks for these events, and not for answers to them. Macros
// are asked for by who knows those of all handlers.
//
// The handler is told of an event if the expression holds. Otherwise it is passed over:
// it has no opinion, and of a body that it would answer it wants no more. In particular:
//
//   - A message is decided once, when the handler would first be told of it and every
//     name is final; the decision holds to the end of the message. Before a message, each
//     event is decided for itself: a second HELO may bring another name.
//   - rcpts, rcpt_count and size_so_far grow, and are asked at each event until they are
//     final: at data, and at the end of the message. stage, now, took and result may always
//     change.
//   - With rcpt, rcpt_domain, rcpt_params or a macro of RCPT, each recipient is decided for
//     itself. From data on the handler is told if it held for any that was not refused.
//   - A recipient that is refused does not count, whoever refused it: the MTA, a handler
//     before, which spares this one the event, or one behind.
//   - Connection-established and negotiate come before anything is known: they are always
//     told. So is then what concerns the connection as a whole: time-out, error, finished.
//     A handler that does not take these two is told of it if it was told of anything
//     before; where no name but client_..., listener, session, helo and in_network is used,
//     if the expression holds.
//   - An abort and message-processed are told if the expression has held in the message. A
//     handler that takes nothing else of a message, such as a journal, has it decided at
//     its end, as far as the message came. It stands before those that refuse messages:
//     what another handler refuses at MAIL, this one does not hear of.
//   - A response is told if its event was, or would have been.
//   - define-macro and unknown are told where the expression can be decided already.
//   - Networks and lists may change at any time, as those in files do. A message that was
//     decided stays so; what is known of a client is decided anew at each event.
//   - After [handlers.Session.ResetMessage] the rest of the message is not told, unless
//     no other names than these are used.
//
// An expression that fails, as an index beyond the end of a list does, is a failed reply
// with an [EvalError]: the failure status of the server answers.
//
// # Texts
//
// [Template] compiles a text with expressions between {{ and }}, for a header or a
// reply:
//
//	text, err := when.Template("{{sender}} via {{client_addr}}", names)
//	...
//	h = text.Around(h) // in h: text.Header(s), text.Reply(s)
//
// What is not known at an event is empty. Line ends and control bytes that a stranger
// has sent do not get into a header or a reply.
//
// # In the functions of a handler
//
// A Group compiles expressions and texts that one handler asks itself, and gathers what
// all of them use once:
//
//	g := when.NewGroup(names)
//	p, err := g.Compile(`header("Subject") matches "(?i)invoice"`)
//	...
//	h = g.Around(h) // in h: p.Holds(s), and texts of the group
//
// # What it costs
//
// Expressions of the usual shapes, which compare names with words, numbers and patterns,
// become Go functions when they are compiled; the rest runs in the engine. What is known
// of a client is asked of the session and costs no memory. An expression about a message
// keeps a record of what it uses on the shelf of the message.
package when
