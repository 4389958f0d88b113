// Package resolver looks names up in the DNS for filters: in parallel, with deadlines,
// and without asking twice what is known.
//
//	r, err := resolver.New(resolver.Config{Servers: []string{"127.0.0.1"}})
//	...
//	addrs, err := r.LookupA(ctx, "mx.example.net")
//	if errors.Is(err, resolver.ErrNotFound) {
//		// there is no such name, or it has no address
//	}
//
// A filter that uses it declares an interface of the few methods that it calls, or takes
// a [Resolver]. Errors are an [*Error], which is a [*net.DNSError] for errors.As too: so
// a filter need not know this package, and the resolver of package net does as well.
//
// # How it asks
//
// Servers are resolvers that work for others, such as unbound on the same machine. They
// are asked in their order, over UDP, and over TCP for an answer that was cut off. One
// that does not answer within Config.Attempt, or answers that it failed, is followed by
// the next; one that was silent comes last for a while, and is asked once more at the
// end. So a look-up takes no longer than Config.Timeout, or than its context lasts.
//
// Names are absolute: no domain is added to them. Look-ups of the same name and type at
// the same time are one; it goes on as long as one of its callers waits. When the last
// of them has returned, nothing of it is left.
//
// # What is kept
//
// An answer is kept for its TTL, at most Config.MaxTTL. That there is none is kept as
// the server says (RFC 2308), at most Config.MaxNegative. That all servers failed is
// kept for Config.FailureTTL, so that a domain whose servers are dead is not waited for
// by each of its mails. The cache has room for Config.Cache answers; a long one takes
// the room of several.
//
// # When the DNS is down, slow or lies
//
// Down: where a port is closed, all servers are through in no time, and the error is
// [ErrServer]. Slow: the error is [ErrTimeout], when Config.Timeout or the deadline of
// the context has passed, whichever is first. Lying: a message from another address,
// with another number or to another question is passed over, as one that somebody
// forged; a message that cannot be read counts as a failure of the server. Only records
// of the name that was asked for, and of the names it is an alias of, are believed. An
// answer with more than 100 records or 16 KiB is [ErrServer] and not kept.
//
// # Telemetry
//
// Each query to a server is a client span below that of the context, if that is
// recorded; it tells names only with Config.TraceNames. dns.lookups counts look-ups by
// result and by where the answer came from, dns.lookup.duration measures those that were
// not in the cache.
package resolver
