// Package greylist has those come again that it has not met: mail servers do, most
// programs that send spam do not. It is the type "greylist" of a configuration:
//
//	[[handler]]
//	type = "greylist"
//	when = 'rcpt != "postmaster@example.com"'
//	delay = "5m"
//	skip_networks = ["127.0.0.0/8", "::1/128", "203.0.113.0/24"]
//	header = "X-Greylist"
//
// # What happens
//
// For each recipient a key is made of the network of the client, the sender and the
// recipient. A recipient with a new key is refused for now, with 450 4.7.1; the others of
// the message are not. Who comes again after delay and within retry_window of the first
// try passes, and is then known for lifetime, which begins anew with use. Who comes too
// early is refused again and loses nothing; who comes later than retry_window begins anew.
// By default that is 5 minutes, 2 days, and 36 days, so that who writes once a month stays
// known.
//
// The client is told the seconds that are left where text has {{wait}}. With header, a
// message that has been delayed says how long, where the MTA lets headers be added.
//
// # What the key is
//
// key has some of the words
//
//	network           the client address, but its first 24 bits (IPv4) or 64 (IPv6) only
//	helo              the name that it gave
//	sender            the envelope sender
//	sender_domain     its domain
//	recipient         the recipient
//	recipient_domain  its domain
//
// Letter case does not matter. Large senders try again from another machine, most often of
// the same network: ipv4_bits and ipv6_bits say how large one is. Those with machines
// everywhere need to be named in skip_networks, or a key without network. Lists and shops
// that make up a sender for each message are delayed each time: whitelist_after helps
// after a few, and key = ["network", "sender_domain"] at once.
//
// # Who does not wait
//
// A network from which whitelist_after messages have passed is not delayed any more,
// whatever the sender, until nothing has come from it for lifetime. A message counts once,
// however many recipients it has, and when it has waited itself.
//
// Nor are those delayed that have logged in (skip_authenticated), clients in a network of
// skip_networks, those without an address of the internet, such as programs on the MTA's
// own machine, and with skip_null_sender bounces. Without it bounces wait like other mail;
// servers that ask ours for a sender of ours before they take its mail do so with the null
// sender too, and may have our mail wait meanwhile. Anything else is for when, the key that
// all handlers have: what it does not hold for is not delayed.
//
// Recipients that do not exist are best refused before: by the MTA, or a handler in front
// of this one.
//
// # The store
//
// With the engine memory of package store everything runs on the event loop. With redis each
// recipient is decided in a goroutine of its own, since there may be something to ask for;
// who was met on a machine is known on the others. Their clocks have to agree to much less
// than delay. A mark takes
// about 160 bytes in memory, and each new key makes one, for retry_window. A store that is
// full lets go of those first, before the keys that have passed.
//
// Filters that share a store and have the same key share what they know; what is known of
// networks all share. The name of a mark tells nobody's address: package store says how it
// is hashed. For the default key and for a network the names are
//
//	printf 'greylist 192.0.2.0/24\0sender=a@example.com\0recipient=b@example.net\0' | sha256sum | cut -c 1-32
//	printf 'greylist 192.0.2.0/24' | sha256sum | cut -c 1-32
//
// # When Redis is down
//
// Each machine goes on with what it knows: who has passed before is not delayed. Whether
// somebody is new cannot be told, since another machine may know. With on_local = "pass",
// the default, who would have to wait is let through, so that mail flows and only spam has
// it easier; a new key is remembered as new all the same, not as one that has passed. With
// "delay" each machine has a greylist of its own, and a server that comes to another of
// them each time may be delayed at each. No network gets known well meanwhile.
//
// # When Redis is slow
//
// A recipient waits for Redis if this machine does not know its key or its network, and
// holds up its session only. Slower than the time-out of the store, 100 ms if nothing else
// is set, is as down: who waits is then answered as above, after that time at most for the
// network and again for the key, and after three failures nobody waits.
//
// # When Redis is restarted
//
// With its data nothing changes. Without it, each machine tells again what it knows and
// uses: a client that comes to the machine on which it was before is not delayed a second
// time. One that comes to another machine, which has not met it, begins anew there, once,
// also if it had passed before. No mail is refused for good in any case.
//
// With the engine memory a restart is one of millstream: what is not in its file begins
// anew.
//
// # Cost
//
// The MTA is asked for the client and the recipients, and waits for an answer to each
// recipient. With memory the decision about one that is known takes 0.7 µs and one
// allocation, that about a new one 2 µs.
//
// The metric greylist.decisions counts recipients by greylist.result, and greylist.delay
// has how long those that passed have waited. Look at early against passed when delay is
// to be changed, and at deferred without passed to see what comes of it.
package greylist
