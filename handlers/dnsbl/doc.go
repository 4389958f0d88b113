// Package dnsbl asks lists in the DNS (blocklists, and allowlists with a negative
// weight) about clients, their names, senders and hosts in the text of mails, adds up
// what they say, and acts on the sum. It is the type "dnsbl" of a configuration:
//
//	[[handler]]
//	type = "dnsbl"
//	name = "lists"
//	deadline = "4s"
//	actions = [
//		{ score = 10, do = "reject", text = "{{listed}} is listed by {{zones}}: {{reason}}" },
//		{ score = 6, do = "quarantine" },
//		{ score = 1, do = "header", header = "X-DNSBL" },
//	]
//
//	[[handler.zones]]
//	zone = "zen.spamhaus.org"
//	weight = 10
//	txt = true
//	answers = [
//		{ match = "127.0.0.2-9" },
//		{ match = "127.0.0.10-11", weight = 6, text = "dynamic address: use the server of your provider" },
//	]
//
//	[[handler.zones]]
//	zone = "0123456789.dbl.dq.example"
//	name = "dbl"                          # the zone has a key in it that nobody is to see
//	lookup = ["helo", "sender", "uri"]
//	weight = 5
//
//	[[handler.zones]]
//	zone = "multi.surbl.example"
//	lookup = ["uri"]
//	registered = true
//	answers = [{ match = "127.0.0.&64", weight = 4 }, { match = "127.0.0.&16", weight = 8 }]
//
//	[[handler.zones]]
//	zone = "list.dnswl.example"
//	weight = -2
//	answers = [{ match = "127.0.*.1" }, { match = "127.0.*.2-3", weight = -10 }]
//
// # What is looked up
//
//	client  the address of the SMTP client, its bytes (IPv6: half bytes) in reverse
//	helo    the name of HELO or EHLO
//	sender  the domain of the envelope sender
//	uri     the hosts of http:// and https:// in the text
//
// Names of one part, addresses in the place of names, and what can be no domain are not
// looked up; names that are not ASCII are as IDNA has them. With registered the domain
// is that which one registers: example.co.uk for www.example.co.uk.
//
// Hosts are found in the body as it comes: as plain text, or quoted-printable with its
// soft line breaks; not in base64. At most uri_bytes are searched, and uri_hosts looked
// up. The body is asked for only if a zone looks up uri.
//
// # When
//
// With stage = "mail" everything of the envelope is looked up at MAIL, in parallel, as
// it is known by then who has logged in. With stage = "connect" the client is looked up
// and may be refused when it connects, and its name at HELO: that is earlier, and also
// meets users who would have logged in; an MTA may have no room for the text in what it
// tells a client that it refuses so early. Hosts are looked up at the end of the message,
// where quarantine and header take place. What was found of a client and its name holds
// for the connection, of a sender and hosts for the message. All look-ups of a stage
// have the deadline together.
//
// Nothing is looked up for clients with loopback, link-local, private and shared
// addresses (skip_private) or without an address, and at MAIL for those that have
// logged in (skip_authenticated), which the macros auth_authen and auth_type tell.
//
// # What answers mean
//
// A match has a part for each byte of an answer, the first of which is 127: a number, a
// range 2-9, * for any, &64 for those with at least one of these bits. Each match that
// fits an answer adds its weight once, or that of the zone if it has none; answers that
// none fits count for nothing. Without matches any answer adds the weight of the zone
// once.
//
// Some answers are no listings but errors: 127.255.255.x, with which lists refuse a
// resolver that they do not serve, such as a public one; 127.0.0.1, with which others
// do, unless a match names just that; and whatever is outside of 127.0.0.0/8, which is
// from somebody who lies. Before a listing counts the zone is asked for what no list may
// have (RFC 5782, 5): 127.0.0.1, or the domain invalid. One that has it lists everybody,
// as zones that were given up do, and is in error.
//
// # What is done
//
// Of the actions with a score that is reached, that with the highest decides among
// reject and tempfail, at the stage at which it is reached. Otherwise quarantine holds
// the message, and every header adds a field. Fields of that name that came with the
// message stay: remove them before, with the type "header".
//
// # Texts
//
// Between {{ and }} in a text stands:
//
//	client_addr  address of the client
//	helo         the name that it gave
//	sender       envelope sender, without angle brackets
//	score        the sum
//	zones        names of the zones that list something
//	listed       what they list
//	reason       texts of matches and zones, and with txt what the zone itself says
//
// The last three leave out what takes from the sum. What others have said is cut off at
// 200 bytes and made plain ASCII.
//
// # When the DNS is down, slow or lies
//
// Down: if none of the zones has answered about the envelope, or none about the hosts,
// the handler has failed, and its on_error is the answer: unless the file says otherwise
// the mail goes on, and nothing more is looked up for it; after the hosts have failed,
// what the envelope comes to still adds its headers and holds the mail. If some have,
// their sum counts. A zone that fails is logged when it begins to, and when it is over;
// what it has failed about is asked for again 5 seconds later at the latest.
//
// Slow: zones that have not answered by the deadline have failed, and are asked about
// the client again for the next message. So mail waits for the deadline at most, at MAIL
// and at its end each; with a timeout of the handler that is less, on_timeout is the
// answer and nothing that was found is told. Look-ups end when the message is given up.
//
// Lying: see above. A list is believed in what it says of others; who can forge its
// answers can have mail refused, so the resolver should be near and check signatures.
//
// dnsbl.answers counts look-ups by zone and result: listed, clean, failed.
package dnsbl
