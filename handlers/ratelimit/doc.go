// Package ratelimit limits how many messages, recipients or bytes may come in some time
// from a user, a client, a network, a sender, or for a recipient. It is the type
// "ratelimit" of a configuration:
//
//	[[handler]]
//	type = "ratelimit"
//	trusted_networks = ["127.0.0.0/8", "2001:db8:1::/48"]
//
//	[[handler.limit]]
//	name = "user-hour"              # stolen passwords
//	key = ["auth_user"]
//	what = "recipients"
//	limit = 200
//	window = "1h"
//	text = "{{limit}} recipients in {{window}} are allowed: try again after {{until}}"
//
//	[[handler.limit]]
//	name = "strangers"
//	key = ["client_network"]
//	what = "messages"
//	limit = 60
//	window = "1m"
//	when = "!authenticated"
//
//	[[handler.limit]]
//	name = "volume-day"
//	key = ["sender", "client_addr"]
//	what = "bytes"
//	limit = 100000000
//	window = "24h"
//	action = "quarantine"
//
// # Keys
//
// Each limit counts for each value of its key. A key has one part or several:
//
//	auth_user                who has logged in: macro {auth_authen}, which MTAs send with MAIL
//	client_addr              address of the SMTP client
//	client_network           its network: of 24 bits, or 64 of IPv6; ipv4_prefix and ipv6_prefix say otherwise
//	sender, sender_domain    the envelope sender, and its domain
//	rcpt, rcpt_domain        a recipient, and its domain
//	"{{helo}}"               any text with expressions; package when has the names
//
// Letter case does not matter. Where a part is empty, nobody is counted: where nobody has
// logged in, for a client without an address, for the null sender. To count that too,
// write a text that is never empty, such as "<{{sender}}>".
//
// # When it is counted
//
//	messages    at MAIL
//	recipients  at RCPT; where it is later 10000 of a message at most
//	bytes       at the end of the message: those of its body
//
// What a key or a condition has to know may be known later. Then messages are counted at
// RCPT, or else at the end of the message; what is known only after RCPT is counted there.
// A message that is counted at RCPT is counted once for each value of the key, and refused
// for the recipients that are over the limit. A limit about single recipients whose
// condition is about the text is refused when the filter is made.
//
// Limits are asked in their order. One that refuses ends the step: those after it are not
// asked, those before it have counted. So write the narrow ones first: a user over his
// limit does not use up that of his network.
//
// # What is done over the limit
//
//	tempfail, reject  the message is refused, at RCPT this recipient: 450 4.7.1, 550 5.7.1
//	discard           the message is taken and dropped, for all its recipients
//	quarantine        the message is held at its end, with text as the reason
//	continue          nothing, but for the log and the measurements
//
// A message that the MTA cannot hold, and a key or condition that cannot be worked out,
// is answered as a failure of the handler: refused for now, if the configuration does not
// say otherwise. A text that cannot is replaced by a plain one.
//
// What is over the limit is not counted, so that as much goes on passing as is allowed.
// A message that alone has more bytes than the limit never passes: the limit is to be
// above the largest message that the MTA takes.
//
// In a text {{limit}} is how much is allowed, {{window}} in what time, {{until}} the time
// from which on as much fits again if nothing else comes, {{wait}} how long that is. Other
// expressions are those of package when.
//
// # What counts
//
// With count = "tried", the default, all that comes to this filter counts, also what is
// refused later, by other filters or since the client gives up. It is what shows a stolen
// password: much of what is sent with one is refused as spam. What the MTA or a filter
// before this one refuses, this one does not hear of: it stands before those whose
// refusals are to count. With count = "accepted" what is refused later is given back: the
// recipient when it is refused, the rest when the message is. That is for limits of what
// somebody has paid for, and in front of a greylist. What was counted in a window that is
// over stays in it.
//
// # Windows
//
// A sliding window is the time up to now. A fixed one begins for all at once: at each full
// hour, at midnight in UTC; its limit may be reached shortly before and again shortly after.
// Package store says more.
//
// # With Redis
//
// Limits that machines share are as exact as package store/redis says: they can be
// overrun by what the other machines let pass between two exchanges, some milliseconds.
// Nothing here ever waits for Redis.
//
// Redis is down: each machine goes on with what it knows. Those that were over the limit
// stay so as long as their window says; with N machines up to N times the limit passes in
// windows that begin meanwhile. Nothing within the limit is refused.
//
// Redis is slow: what others count is heard of later, by as much as an exchange takes. One
// slower than the time-out of the store is as one that is down.
//
// Redis is restarted, with its data or without: the machines tell anew what they have
// counted, also while it was away. What a machine had counted that is itself gone by then,
// is lost with the data; that makes limits wider until the window is over, not narrower.
//
// Without Redis, in memory, the same holds for a restart of this program: package
// store/memory can keep counts in a file.
//
// # What is told
//
// The log has a line when a key goes over a limit, once in a fixed window of its length,
// and no more than five a second; the line after some that were left out says how many.
// It names the user, client or address that the key is. That a line was written is a
// counter in the store too, so of machines that share one mostly one writes it.
// [MetricDecisions] and [MetricKeys] count.
//
// # Cost
//
// The filter runs on the event loop. The MTA is asked for no more events than the limits
// need, and waits for answers where there may be one. A decision takes about a
// microsecond and one allocation; limits with count = "accepted", and of messages that are
// counted at RCPT, keep a note of each message.
package ratelimit
