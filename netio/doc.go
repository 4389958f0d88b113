// Package netio joins sessions to the network by way of gnet.
//
//	err := netio.Serve(ctx, "inet:8890@127.0.0.1", handlers.Shared(filter))
//
// # Who does what
//
//	accepting goroutine   one a listener: accepts, counts, hands over to a loop
//	event loop            one a CPU: reads, calls the session, writes
//	session               an actor of package actors, on the loop of its connection
//	ticking goroutine     wakes the loops every 100 ms
//
// Listening sockets are our own and not gnet's, so that running out of file
// descriptors ends no server, a path that is no socket is never removed, inherited
// sockets can be served, and a server can stop listening and go on serving.
//
// Bytes are handed to the session where gnet has read them, without a copy; all
// answers to one read leave in one write. Sendmail sends the macros of a command
// apart from it and waits for the acknowledgement of the first before it sends the
// second, so a read that ends with macros is acknowledged at once.
//
// # Other handlers
//
// Server.Swap changes the handlers and the settings of sessions while the server runs.
// No connection is closed for it: those that are open keep the handlers they began with.
//
// # The end
//
// A server stops in this order: listeners and their goroutines, sessions, the
// functions of handlers, event loops. Sessions go on until their MTAs leave: an MTA
// that finds its filter gone refuses the mail of that client.
package netio
