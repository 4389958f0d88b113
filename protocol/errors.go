package protocol

import (
	"errors"
	"fmt"
	"io"
)

// The fault of the peer. Each is also ErrProtocol, and ends the session.
var (
	ErrProtocol          = errors.New("milter: protocol error")
	ErrPacketEmpty       = fmt.Errorf("%w: empty packet", ErrProtocol)
	ErrPacketTooLarge    = fmt.Errorf("%w: packet too large", ErrProtocol)
	ErrShortPacket       = fmt.Errorf("%w: packet too short", ErrProtocol)
	ErrMissingNull       = fmt.Errorf("%w: string without end", ErrProtocol)
	ErrTooMany           = fmt.Errorf("%w: too many strings", ErrProtocol)
	ErrUnexpectedCommand = fmt.Errorf("%w: unknown command", ErrProtocol)
	ErrUnknownFamily     = fmt.Errorf("%w: unknown address family", ErrProtocol)
	ErrInvalidAddress    = fmt.Errorf("%w: invalid address", ErrProtocol)
	ErrUnexpectedEnd     = fmt.Errorf("%w: connection ended in a packet: %w", ErrProtocol, io.ErrUnexpectedEOF)
	ErrSequence          = fmt.Errorf("%w: command out of order%.0w", ErrProtocol, ErrInvalidState) // .0: without its text
)

// The negotiation failed. It ends the session.
var (
	ErrNegotiation      = errors.New("milter: negotiation failed")
	ErrVersionTooOld    = fmt.Errorf("%w: protocol version too old", ErrNegotiation)
	ErrActionNotOffered = fmt.Errorf("%w: required action not offered", ErrNegotiation)
)

// The fault of a filter. The session goes on.
var (
	ErrInvalidCode      = errors.New("milter: invalid reply code")
	ErrInvalidState     = errors.New("milter: not in this state")
	ErrInvalidAction    = errors.New("milter: action not agreed on")
	ErrEmpty            = errors.New("milter: empty argument")
	ErrInvalidArgument  = errors.New("milter: invalid argument")
	ErrStatusNotAllowed = errors.New("milter: status not allowed")
)

// A DecodeError is a packet that makes no sense. It ends the session.
type DecodeError struct {
	Code  Code
	Field string // "address", "port", ...
	Err   error  // one of those that are ErrProtocol
}

// Error names the packet and the field, and says what is wrong with it.
func (e *DecodeError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%v: %v", e.Err, e.Code)
	}
	return fmt.Sprintf("%v: %v, field %s", e.Err, e.Code, e.Field)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// A StateError is a command out of order. It is ErrSequence and ends the session.
type StateError struct {
	State State
	Code  Code
}

// Error names the command and the state it came in.
func (e *StateError) Error() string {
	return fmt.Sprintf("%v: %v in state %v", ErrSequence, e.Code, e.State)
}

// Unwrap returns ErrSequence.
func (e *StateError) Unwrap() error { return ErrSequence }

// A StatusError is a status that may not answer a command. It is
// ErrStatusNotAllowed; the session answers its failure status instead.
type StatusError struct {
	Code   Code
	Status Status
}

// Error names the status and the command.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%v: %v to %v", ErrStatusNotAllowed, e.Status, e.Code)
}

// Unwrap returns ErrStatusNotAllowed.
func (e *StatusError) Unwrap() error { return ErrStatusNotAllowed }

// A NegotiationError is an offer that does not do.
type NegotiationError struct {
	Offer   Options
	Missing Actions
	Err     error // ErrVersionTooOld or ErrActionNotOffered
}

// Error says what the offer lacks.
func (e *NegotiationError) Error() string {
	if e.Missing != 0 {
		return fmt.Sprintf("%v: %v", e.Err, e.Missing)
	}
	return fmt.Sprintf("%v: %d", e.Err, e.Offer.Version)
}

// Unwrap returns Err.
func (e *NegotiationError) Unwrap() error { return e.Err }

// An ArgumentError is a value that cannot be sent.
type ArgumentError struct {
	Code Code   // the modification
	Arg  string // "name", "value", "address", "params", "index", "reason"
	Err  error  // ErrEmpty or ErrInvalidArgument
}

// Error names the change and the argument.
func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%v: %s of %v", e.Err, e.Arg, e.Code)
}

// Unwrap returns Err.
func (e *ArgumentError) Unwrap() error { return e.Err }
