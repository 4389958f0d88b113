package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"

	"millstream/protocol"
)

// explain adds to an error where it happened and what to do about it.
func (d *sendDialog) explain(err error) error {
	switch {
	case errors.Is(err, protocol.ErrInvalidArgument):
		return usageError{err}
	case d.ctx.Err() != nil:
		return fmt.Errorf("interrupted %s: %w", d.where(), context.Cause(d.ctx))
	case d.conn == nil:
		return fmt.Errorf("%w; %s", err, connectHint(err))
	}
	return fmt.Errorf("%s, %s: %w; %s", d.plan.socket, d.where(), err, d.talkHint(err))
}

// where tells how far the talk has come.
func (d *sendDialog) where() string {
	switch {
	case d.agreed.Version == 0:
		return "before anything was agreed on"
	case len(d.stages) == 0:
		return "after the negotiation"
	}
	return "after " + d.stages[len(d.stages)-1].code.String()
}

// connectHint returns what to do where there is no connection.
func connectHint(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: is the milter running, with this socket?"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such socket: is the milter running, and is the path right?"
	case errors.Is(err, fs.ErrPermission):
		return "the socket is not for this user: try as the user of the MTA"
	case isTimeout(err):
		return "nobody answers: is the host right, and no firewall in between?"
	}
	return "is the socket right?"
}

// talkHint returns what to do about an error in the talk.
func (d *sendDialog) talkHint(err error) string {
	switch {
	case isTimeout(err):
		return "the milter is too slow or hangs: --timeout gives it more time"
	case errors.Is(err, protocol.ErrNegotiation):
		return "the milter wants what was not offered, or refuses for a reason in its log"
	case errors.Is(err, protocol.ErrProtocol) && d.agreed.Version == 0:
		return "is it a milter that listens there? An MTA takes this for its failure"
	case errors.Is(err, protocol.ErrProtocol):
		return "an MTA takes this for a failure of the milter, and goes by milter_default_action"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the milter closed the connection: its log may tell why"
	}
	return "the connection to the milter is broken"
}

// isTimeout reports whether err is of a time limit.
func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
