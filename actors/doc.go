// Package actors runs sessions: one actor for each connection from an MTA. It
// keeps the state, calls handlers, gathers their replies and keeps time.
//
// A server makes a [System], and of that a [Loop] for each of its event loops. A
// loop opens a session for each of its connections: it shows the session the
// connection as a [Conn], and gets a [Link] in return.
//
//	       event loop of the connection                      elsewhere
//
//	Link   Feed, Lost        Tick                 functions of Go, Blocking, Async
//	          │                │                     │ answers      │ changes to
//	          ▼                ▼                     ▼              ▼ a message
//	     ┌─ mailbox ────────────────────┐         ┌───────┐      ┌────────┐
//	     │ inline: batch, lost, tick    │◀─ Post ─│ queue │◀─────│ outlet │
//	     └──────────────┬───────────────┘         └───────┘      └────────┘
//	                    ▼                             ▲
//	       session: what is planned,                  │ System: Abort, CloseAll
//	       then the next packet ─▶ machine ─▶ handlers
//	                    │
//	                    ▼
//	Conn   Write, once for all that a turn has to say; Close
//
// # Where a session runs
//
// On the event loop of its connection, and nowhere else. What the loop itself has to
// say (bytes came, the connection is lost, time has passed) is handled at once,
// before the call returns. What comes from other goroutines (the answer of a
// function, changes to a message, the end of the server) waits in a queue, and the
// first to find it empty has the loop called with Conn.Post. What comes while the
// session runs, such as the loss of the connection within a Write, waits until the
// turn is over. So nothing of a session needs a lock, bytes reach inline handlers
// uncopied, and answers are written without a wake-up.
//
// Nobody else touches the fields of a session but for four things that have locks of
// their own or are atomic: the mailbox, the outlet with the changes to a message,
// the [handlers.Control] with what handlers may ask, and the figures of [Info].
// What the sessions of a loop use in turn (the decoder, the buffer of what is
// written, what is known of an event under way, the timers) belongs to the Loop: most
// sessions wait for their MTA most of the time, and keep little meanwhile.
//
// # How a turn runs
//
// A read holds any number of whole packets. Each is decoded, and the machine of
// package protocol says what it means: an error, an answer, a message given up, or
// an event. The event is told to the handlers. A reply that is known is applied and
// its packet put into the buffer; then comes what follows from it, in this order:
// failures are reported, the response is told, and if the message has ended so is
// its result, when the answer has been written. These are the tasks of a plan, and
// the next packet is taken when no task is left. At the end of the turn the buffer
// is written, and the timer is set to whatever comes first.
//
// # What waits
//
// A reply may be pending: a function runs off the loop, or somebody has to call a
// Resolve. The session then waits; it is not blocked, nor is the loop. Whole packets
// that come meanwhile are kept, up to Config.MaxPending. Only four things are looked
// for among them and end the wait: quit, quit-new-connection, the loss of the
// connection, and, within a message, abort. What came before them is dropped, as it
// belongs to what is given up. The context of the function ends and its answer, when
// it comes, is counted and dropped; it carries the number of its event, so it can
// answer no other.
//
// No two functions of a session run at once. One whose context has ended is waited
// for before the next event is told, and before the private value is destroyed. An
// event that has waited for Config.HandlerTimeout fails: the MTA gets the failure
// status, and what has no answer is not told.
//
// The answer to an abort, and functions that are told of something, are never
// dropped: what would end the wait for them makes their context end, and waits.
//
// While the end of a message is pending the MTA is asked every few seconds to wait
// on, unless its new body is under way. A function that writes such a body is held
// up when more than Config.MaxOutbound is on its way.
//
// # How a session ends
//
// By the MTA, for an error of the protocol or the transport, because the MTA was
// silent or does not read, or at the word of the server. Whatever the reason, in
// this order: what is pending ends; failures are told, then a timeout; a message
// under way is aborted and its result told; then comes the last event, and the
// private value is destroyed. What was answered before is still written, nothing
// after it. The session leaves the System, the connection is closed, and the mailbox
// drops and counts what comes late. At quit-new-connection all that is done for the
// one SMTP client, and the session goes on with a new handler.
//
// A handler that panics costs its answer. A panic in this package costs the session:
// its connection is closed without a word, since nobody knows any more which answer
// would be in step, and the other sessions do not notice.
//
// # How handlers change while sessions run
//
// System.Swap gives the sessions that begin from then on other handlers and another
// configuration. A session keeps its own until its connection ends, also for the next
// message and for the next SMTP client on the connection: what the MTA sends and what
// it waits for was agreed on for these handlers at the beginning, and others would not be
// told of what they need. Neither Postfix nor Sendmail uses a connection for another
// client, so there a session is one of SMTP, and the new handlers are in use soon. Who
// swaps is told when nothing uses the old handlers: no session, and no function of one
// that went on when the session had ended.
//
// # What is counted
//
// What goes wrong at the door or at a limit is counted where it happens, by a [Refusal]
// or a [Limit], in a few atomics of the System, which its instruments read when they
// are asked. A server that refuses a connection before there is a session says so with
// System.Refuse, and writes with System.Log what may come again and again: one line a
// second of each message, with how many were left out.
//
// # What the event loop owes
//
// Link.Feed is called with what was read and not taken before, as soon as there is
// more of it; it takes whole packets and leaves the rest. Link.Lost is called once
// when the connection is gone, for whatever reason: also after a Write that failed.
// Loop.Tick is called every 100 ms; without it no time passes. A function given to
// Conn.Post runs on the loop, after Post has returned. The end of a server is
// CloseAll, then Drain for the sessions, Wait for the functions of handlers, and
// Stop.
//
// # Who listens
//
// A [Tap] is told what the sessions that begin while it is open say and hear, packet by
// packet. Each session keeps for each tap what came until it is known to match, copied
// on the loop, and from then on puts it into the queue of the tap. Nobody waits: what
// there is no room for is left out, and counted where it would have stood. A session
// that begins while there is no tap has none to ask.
//
// [Offline] is all of that for one session without a connection, for tests and
// tools.
package actors
