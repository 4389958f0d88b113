package actors

import "millstream/handlers"

// These are all the messages of a session. The first three come from its event
// loop alone and are handled at once; the others may come from any goroutine and
// are queued.

// batch has the bytes of one read. The loop uses it again for the next one.
type batch struct {
	bytes []byte
	taken int  // how many of bytes were whole packets
	macro bool // the last of them defined macros: its command is on its way
}

// lost says that the connection is gone: with nil if the MTA closed it, otherwise
// with the error of the transport.
type lost struct {
	err     error
	partial bool // in the middle of a packet
}

// tick says that the timer of the session is due.
type tick struct{}

// resolved brings what became of a pending answer.
type resolved struct {
	turn   uint64                // the event it is the answer to
	next   func() handlers.Reply // goes on from it, where handlers run
	worker bool                  // a function of the session has returned
}

// flushed says that changes to a message wait to be written.
type flushed struct{}

// ended asks the session to end: with nil if it is idle and the server stops.
type ended struct{ err error }
