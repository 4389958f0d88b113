package handlers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"millstream/protocol"
)

// The errors of running a session. Those of packets, states and values are in
// package protocol.
var (
	ErrNull            = errors.New("milter: missing argument")
	ErrIO              = errors.New("milter: input or output failed")
	ErrBodyInterleaved = fmt.Errorf("milter: another change within the body%.0w", protocol.ErrInvalidState) // .0: without its text
	ErrStaleResponse   = errors.New("milter: answer no longer wanted")
	ErrAborted         = fmt.Errorf("milter: message aborted%.0w", ErrStaleResponse)
	ErrTimeout         = fmt.Errorf("milter: timeout%.0w", os.ErrDeadlineExceeded)
	ErrSessionClosed   = fmt.Errorf("milter: session closed%.0w", net.ErrClosed)
)

// An OpError is a change to a message that could not be made.
type OpError struct {
	Op    string           // "add-header", "quarantine", ...
	State protocol.State   // of the session
	Need  protocol.Actions // what the change needs
	Err   error
}

// Error names the change, and what it lacks.
func (e *OpError) Error() string {
	if errors.Is(e.Err, protocol.ErrInvalidAction) {
		return fmt.Sprintf("%v: %s needs %v", e.Err, e.Op, e.Need)
	}
	return fmt.Sprintf("%v: %s in state %v", e.Err, e.Op, e.State)
}

// Unwrap returns Err.
func (e *OpError) Unwrap() error { return e.Err }

// A PanicError is a handler that panicked, or whose function of Go, Blocking or Async
// ended its goroutine with runtime.Goexit. The session answers its failure status and
// goes on.
type PanicError struct {
	Value any
	Stack []byte
}

// Error tells the value of the panic.
func (e *PanicError) Error() string { return fmt.Sprintf("milter: handler panicked: %v", e.Value) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A SlowError is a function of On or Observe that held the event loop.
type SlowError struct {
	// Event is the event, or the last of several: the functions for those that came
	// at once, and that the MTA wants no answer to, are taken together.
	Event Kind
	Took  time.Duration
}

// Error names the event and the time.
func (e *SlowError) Error() string {
	return fmt.Sprintf("milter: handler held the event loop for %v at %v: use Go or Blocking", e.Took, e.Event)
}
