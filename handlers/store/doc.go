// Package store is state that several sessions share, or several machines: how much a
// user has sent in this hour, when a sender was first seen, what is thought of a
// network. Filters are written against its interfaces; what keeps the state is chosen
// by who runs them:
//
//	handlers/store/memory  the memory of this process, and a file for restarts
//	handlers/store/redis   the memory of this process, and a Redis that all machines share
//
// # Counters
//
// [Counters] count messages, recipients, bytes, failed logins, over a [Window] that is
// fixed or slides. Incr counts and tells the total; with zero it only tells it. Take
// counts if that stays within a limit, and tells whether it did: nobody comes between
// looking and counting. What was counted for a message that then came to nothing is
// taken back with a negative number.
//
// # Marks
//
// [Marks] remember a key: since when, with a number that the caller chooses, and until
// when. A greylist makes one with SetNX when it first sees a sender, gives it the time
// at which it passed with Set, and lets it last longer with Touch each time it is seen
// again. See the example of Marks.
//
// # Keys
//
// A key may be any string, of any length. What is kept is the first half of its
// SHA-256: each entry has the same size whatever senders make up, nobody can make two
// keys that meet, and neither a file nor a Redis tells who has written to whom. Counters
// and marks do not see each other. Filters that share a store begin their keys with a
// name of their own.
//
// Who wants to look at one key finds its hash with
//
//	printf %s 'messages/alice' | sha256sum | cut -c 1-32
//
// # What may wait
//
//	Incr Take Set Touch   never: they may be called on an event loop, from On
//	SetNX Get             with redis, for a key that is not known on this machine, no
//	                      longer than its time-out: call them from Go or Blocking
//
// With memory nothing ever waits. A filter is written for both: MayWait tells it whether
// it has to leave the event loop.
//
// # What may fail
//
// No call fails: there is always an answer, since mail has to go on when a server that
// only helps to judge it does not. Where the answer is that of this machine alone, it
// says so: Local. Most filters need not look. One with a limit that must not be overrun
// may answer TempFail while the answer is Local.
//
// With redis the first answers about a counter in each window are Local, until Redis has
// told what others have counted: some milliseconds. Answers of memory are never Local,
// since nobody else counts.
//
// # Which engine
//
// One machine needs memory only. Several behind one name, where a client may come to any
// of them, count each for itself with memory: a limit of 100 is one of 100 on each
// machine, and a greylist has to be passed on each. With redis it is one limit and one
// list. Neither makes mail depend on anything: without a Redis, redis is memory.
package store
