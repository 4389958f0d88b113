// Package rule decides about mail by expressions, and changes it. It is the type "rule"
// of a configuration:
//
//	[[handler]]
//	type = "rule"
//
//	[[handler.rule]]                      # our own networks are asked nothing
//	when = 'in_network("trusted") || authenticated'
//
//	[[handler.rule]]
//	when = 'client_name startsWith "[" && helo matches "^[0-9.]+$"'
//	action = "reject"
//	code = 550
//	enhanced = "5.7.1"
//	text = """
//	{{helo}} is no name of a host.
//	Call +1 555 0100 if you think it is."""
//
//	[[handler.rule]]
//	when = 'rcpt_domain == "old.example"'
//	rewrite_recipient = '{{split(rcpt, "@")[0]}}@example.com'
//	add_headers = ["X-Moved: from old.example"]
//	continue = true
//
//	[[handler.rule]]
//	when = 'header("Subject") matches "(?i)invoice" && sender_domain != "example.com"'
//	subject = "[external]"
//	quarantine = "invoice from {{sender}}"
//
//	[networks]
//	trusted = ["192.0.2.0/24", "2001:db8::/32"]
//
// The type "subject" is such a filter with one rule that does nothing but tag:
//
//	[[handler]]
//	type = "subject"
//	if = 'header("List-Id") == "" && sender_domain != "example.com"'
//	tag = "[external]"
//
// Expressions and texts are those of package when: its comment lists the names they may
// use, and when each is known. In a literal string of TOML, in single quotes, an
// expression needs no escapes.
//
// # The first that holds
//
// Rules are asked in their order, and the first that holds ends them; one with continue
// does not. A rule without action is an exception: what it holds for goes on, changed
// or not, and no rule behind it is asked.
//
// A rule is asked as soon as its expression can be, so that mail is refused early, but
// not before those in front of it that end the rules: behind a rule about a header, one
// about the client is asked at the end of the headers. stage and result(...) are asked
// each time, the rest is the same at whatever event it is asked. What grows in a message
// (rcpts, rcpt_count, size_so_far) is asked when it is whole, but by reject and tempfail
// as it stands: rcpt_count > 100 with reject refuses each recipient after the hundredth.
//
// # Recipients
//
// A rule whose expression is about the recipient under way (rcpt, rcpt_domain, ...) or
// that has rewrite_recipient is asked for each recipient, and so is one that has to wait
// for such a rule. It ends the rules for the recipients it holds for: those behind it are
// asked as long as there are others.
//
//	action           at connect, HELO     at MAIL and later        for one recipient
//	accept           all of this client   the message              cannot be
//	reject           the client           the message              the recipient
//	tempfail         the client           the message              the recipient
//	discard          waits for MAIL       the message              it is left out; the message, if it has no other
//
// Who is accepted is not asked about by handlers behind this one. Where that would lose
// changes, of the rule itself or of one before, accept waits for the end of the message.
//
// # Changes
//
// They are made at the end of the message, in the order of the rules; for a rule about
// recipients if it held for any that was not refused:
//
//	add_headers         "Name: text", after all others
//	subject             a tag in front of the Subject, as [Tagged] puts it there; of several Subjects the first counts
//	quarantine          the message is held; text is the reason
//	sender              another envelope sender; <> is the null sender
//	add_recipients      recipients to add
//	delete_recipients   recipients to leave out if the message has them, letter case aside
//	rewrite_recipient   an address in place of the recipient under way
//
// Recipients are deleted before others are added. Texts are made at the end, and cannot
// use rcpt there; that of rewrite_recipient and of an action are made when the rule is
// asked.
//
// # When something fails
//
// It needs nothing beside the session, and neither does subject: no DNS, no store, so
// nothing can be down. Lists and networks in files stay as they were while their files are
// missing or broken, and the log says so. What is measured is the same for all handlers:
// milter.handler.duration has its calls by name and result, and traces have a span for
// each.
//
// A change that the MTA does not allow, or whose value is no address, is left out. That is
// said once in the log for each rule and change; with required = true the message is
// refused instead, as where any handler fails: for now, if the configuration does not
// say otherwise. quarantine, and discard of a recipient, are always required: what is not
// to be delivered is not. An expression that cannot be worked out, such as an index
// beyond the end of a list, is a failure too. More than 10000 recipients for whom rules
// hold are one as well.
//
// Mistakes in settings are found before there is mail: each is a [when.SettingError] with
// its key, and line and column in an expression.
//
// # Cost
//
// The MTA is asked for what the expressions need and no more. It waits for an answer only
// where a rule with an action is asked, and at the end of a message, where it does
// anyway. The filter runs on the event loop: ten rules about a client that do not hold for
// it cost 0.8 µs when it connects and no memory, ten about senders and recipients 0.9 µs and
// five allocations for a message with one recipient.
package rule
