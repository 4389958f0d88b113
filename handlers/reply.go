package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"millstream/protocol"
)

// A Reply is a handler's answer to an event, known now or pending. The zero
// Reply is no opinion: things go on, and a negotiation ends in AllOptions.
type Reply struct {
	status protocol.Status
	failed bool  // the handler failed, as the error says: the failure status answers
	more   *more // nil for most replies, so that they are cheap to hand on
}

// more is what a reply may have beside its status. It is only read.
type more struct {
	smtp *protocol.SMTPReply
	err  error
	by   string // the name of the handler
	pending
}

// pending is how an answer that is not known yet comes to be: from f, or by a call
// of the Resolve that start is given; then through each of then.
type pending struct {
	f     func(context.Context) Reply
	start func(context.Context, Resolve)
	then  []func(Reply) Reply
}

// The replies that need no more words. [protocol.Status.Answers] tells which may
// answer which event; another one is replaced by the failure status of the
// server, normally TempFail, and reported.
var (
	Continue = Reply{status: protocol.StatusContinue} // go on
	Accept   = Reply{status: protocol.StatusAccept}   // take the message, or the client, and ask no more
	Reject   = Reply{status: protocol.StatusReject}   // refuse for good
	TempFail = Reply{status: protocol.StatusTempFail} // refuse for now
	Discard  = Reply{status: protocol.StatusDiscard}  // take the message and drop it silently
	Skip     = Reply{status: protocol.StatusSkip}     // no more of the body, please

	// NoReply goes on without an answer, where the negotiation agreed on it by
	// hand. Observe does so by itself.
	NoReply = Reply{status: protocol.StatusNoReply}

	// AllOptions ends a negotiation with all that is offered, whatever was
	// edited.
	AllOptions = Reply{status: protocol.StatusAllOptions}
)

// With returns Reject or TempFail with the reply the SMTP client is to see. The
// code is 5xx for Reject and 4xx for TempFail. enhanced is an enhanced status
// code such as "5.7.1", or empty. Lines are plain text.
//
// If [protocol.NewSMTPReply] does not take them, or the code is not of the
// reply's class, the reply goes out without text, and the error is reported.
func (r Reply) With(code int, enhanced string, lines ...string) Reply {
	switch {
	case r.failed:
		return r // another status is to answer, without text
	case r.pending() != nil:
		return r.Then(func(r Reply) Reply { return r.With(code, enhanced, lines...) })
	}
	text, err := protocol.NewSMTPReply(code, enhanced, lines...)
	if err == nil && !text.Suits(r.status) {
		text, err = nil, fmt.Errorf("%w: %d with %v", protocol.ErrInvalidCode, code, r.status)
	}
	r.more = &more{smtp: text, err: err}
	return r
}

// Failed returns the reply of a handler that failed: the failure status of the
// server answers, and err is reported.
func Failed(err error) Reply {
	return Reply{status: protocol.StatusTempFail, failed: true, more: &more{err: err}}
}

// Reported returns r with an error that is reported as that of Failed is, while r
// answers all the same.
func (r Reply) Reported(err error) Reply {
	if r.pending() != nil {
		return r.Then(func(r Reply) Reply { return r.Reported(err) })
	}
	m := more{err: err}
	if r.more != nil {
		m = *r.more
		m.err = errors.Join(r.more.err, err)
	}
	r.more = &m
	return r
}

// Status returns the status of r; StatusProgress while r is pending.
func (r Reply) Status() protocol.Status {
	if r.pending() != nil {
		return protocol.StatusProgress
	}
	return r.status
}

// pending returns how r comes to be; nil if it is known.
func (r Reply) pending() *pending {
	if r.more == nil || r.more.f == nil && r.more.start == nil {
		return nil
	}
	return &r.more.pending
}

// SMTP returns the reply given with With, or nil.
func (r Reply) SMTP() *protocol.SMTPReply {
	if r.more == nil {
		return nil
	}
	return r.more.smtp
}

// Err returns what is wrong with r: ErrInvalidCode or ErrInvalidArgument of
// With, ErrNull for a nil function, a [PanicError]. It is nil for most replies.
func (r Reply) Err() error {
	if r.more == nil {
		return nil
	}
	return r.more.err
}

// Failed reports whether r stands for a handler that failed, with Err, so that the
// failure status is to answer.
func (r Reply) Failed() bool { return r.failed }

// LogValue implements [slog.LogValuer].
func (r Reply) LogValue() slog.Value {
	if text := r.SMTP(); text != nil {
		return slog.StringValue(text.String())
	}
	return slog.StringValue(r.Status().String())
}

// goesOn reports whether a chain asks its next member after r, which is known.
func (r Reply) goesOn() bool { return r.status.IsPass() || r.status == protocol.StatusNoReply }

// Async returns a reply that f works out. f may block; it runs in its own
// goroutine. ctx ends when the answer is no longer wanted; its cause is
// [ErrAborted], [ErrSessionClosed] or [ErrTimeout].
//
// f must not use the Views of the event; take a Clone or a String first.
func Async(f func(ctx context.Context) Reply) Reply {
	if f == nil {
		return Failed(fmt.Errorf("%w: function of Async", ErrNull))
	}
	return Reply{more: &more{pending: pending{f: f}}}
}

// Resolve gives a reply that was pending. It may be called from any goroutine,
// also before start returned. A second call, or one after the event is over, is
// ErrStaleResponse, or ErrSessionClosed when the connection is gone, and does
// nothing. A pending reply is refused with ErrStatusNotAllowed and leaves the
// event open.
type Resolve func(Reply) error

// Progress returns a reply that comes by a call of resolve. start runs on the
// event loop and must not block. ctx is that of [Async]. The goroutines that
// start begins are the caller's: the session does not wait for them.
//
// Progress is for work that has an event loop or a callback of its own. It has
// nothing to do with [Message.Progress].
func Progress(start func(ctx context.Context, resolve Resolve)) Reply {
	if start == nil {
		return Failed(fmt.Errorf("%w: function of Progress", ErrNull))
	}
	return Reply{more: &more{pending: pending{start: start}}}
}

// Then returns the reply that k makes of r, once r is known; it may have failed. k
// runs on the event loop, or within Blocking in its goroutine.
func (r Reply) Then(k func(Reply) Reply) Reply {
	p := r.pending()
	if p == nil {
		return k(r)
	}
	return Reply{more: &more{pending: pending{p.f, p.start, append(slices.Clip(p.then), k)}}}
}

// resume returns what becomes of p when its first reply is r.
func (p *pending) resume(r Reply) Reply {
	for _, k := range p.then {
		r = r.Then(k)
	}
	return r
}
