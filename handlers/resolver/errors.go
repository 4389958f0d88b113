package resolver

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// What a look-up may come to instead of an answer.
var (
	// ErrNotFound says that there is no such name, or that it has no such record.
	ErrNotFound = errors.New("not found")

	// ErrTimeout says that no answer came in time. It is os.ErrDeadlineExceeded too.
	ErrTimeout = fmt.Errorf("no answer in time%.0w", os.ErrDeadlineExceeded) // .0: without its text

	// ErrServer says that the servers failed: they said so, could not be reached, or what
	// they sent was no answer.
	ErrServer = errors.New("server failure")
)

// An Error is a look-up without an answer. For errors.As it is a [*net.DNSError] too.
type Error struct {
	Name string // what was looked up
	Type string // "A", "AAAA", "TXT", "PTR" or "MX"
	Err  error  // ErrNotFound, ErrTimeout, ErrServer, or the cause for which the context ended
}

// Error names what was looked up, and why there is no answer.
func (e *Error) Error() string { return fmt.Sprintf("dns: %s of %s: %v", e.Type, e.Name, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// As gives a [*net.DNSError] to who knows only that.
func (e *Error) As(target any) bool {
	t, ok := target.(**net.DNSError)
	if !ok {
		return false
	}
	notFound := errors.Is(e.Err, ErrNotFound)
	*t = &net.DNSError{
		Err: e.Err.Error(), Name: e.Name, UnwrapErr: e.Err,
		IsNotFound: notFound, IsTimeout: errors.Is(e.Err, os.ErrDeadlineExceeded), IsTemporary: !notFound,
	}
	return true
}
