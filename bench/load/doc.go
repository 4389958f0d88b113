// Package load is a fleet of MTAs that loads a milter, any milter, and measures what
// the MTAs see of it. It is behind the command "millstream bench".
//
//	result, err := load.Run(ctx, load.Config{
//		Address:     "inet:8890@127.0.0.1",
//		Mails:       mails, // see package corpus
//		Connections: 100,
//		Duration:    10 * time.Second,
//	}, nil)
//	...
//	err = report.Text(os.Stdout, result)
//
// # Closed and open loops
//
// In a closed loop each session begins a message when it has the verdict of the
// last. That finds out how much a milter can do, but not how it feels: while it
// stalls, nothing is sent that could be late. In an open loop messages begin by a
// [Schedule], as clients on the internet send them, and the latency of a message
// counts from the moment it was meant to begin. A stall then shows in every message
// that had to wait for it: no coordinated omission. Messages that are due within 50 µs
// begin together, the first ones that much late: more wake-ups would only measure the
// wake-ups.
//
// # What an MTA does
//
// A session offers, greets and sends messages as Postfix or Sendmail do, with their
// macros and in their packets, and only what the milter asked for: a command that
// it does not answer leaves together with the next one that it does. Macros and
// rules are those of package netio/mta, so is the strictness: an answer out of
// place, one too many, a change that was not agreed on, or a packet that makes no
// sense is an error, and ends the session. [Chaos] has some sessions behave as bad
// clients make MTAs behave.
//
// # How it is made
//
// A worker is an event loop over epoll, with its sessions. Messages are made into
// packets once for each answer to the offer, and written from there; only the queue
// id differs. So a message costs system calls and little else, and in steady state
// no allocation: the generator is to be cheaper than what it measures. It needs
// Linux, and for open loops Linux 5.11: before that it can only wait for whole
// milliseconds.
package load
