package handlers

import (
	"time"

	"millstream/protocol"
)

// Established says that an MTA has connected, or that the connection is used for
// another SMTP client. It comes before any packet.
type Established struct{}

// Abort says that a message is given up: by the MTA, or because the connection
// ends or another message begins. It comes at most once for a message, and never
// for one that was answered.
type Abort struct {
	State protocol.State // where the message stood
	Err   error          // why, if not by the MTA's word: ErrTimeout, ErrIO, ...
}

// Response says which status was applied to an event, once for each event with an
// answer. The answer was handed over to be sent, unless Silent. A Response is used
// again for the next answer: what is kept is a copy.
type Response struct {
	To     Kind
	Status protocol.Status
	Text   *protocol.SMTPReply // the reply that was sent, or nil
	Silent bool                // nothing was written
	Took   time.Duration       // in handlers, waiting included
}

// Timeout says that the MTA was silent for too long. The connection ends: an
// abort may follow, then Finished.
type Timeout struct{ After time.Duration }

// Failure reports an error of the session, once each: of the protocol, of input
// and output, of time, or of a handler. It does not report what a handler was
// told itself.
type Failure struct {
	During Kind // the event under way, or 0
	Err    error
}

// Finished is the last event of a connection, or of one SMTP client on it.
type Finished struct {
	Err error // why, or nil if the MTA ended it
}

// A Result is what became of one message. It is the message-processed event, once
// for each message, also for one that was aborted. It is owned and does not
// change.
type Result struct {
	From       string   // as received; "" if the MTA was told not to send it
	FromParams []string // ESMTP parameters
	Recipients []string // those not refused
	TempFailed []string // recipients answered TempFail
	Rejected   []string // recipients answered Reject, or refused by the MTA
	Headers    []Field  // as received
	BodySize   uint64   // bytes received
	Truncated  bool     // there were more headers or recipients than are kept

	State            protocol.State  // of the last event
	Status           protocol.Status // how it ended; StatusAbort if it was given up
	By               string          // the name of the handler that decided, if it has one (see [Named]), or refused the last recipient of none left
	Reply            string          // what the SMTP client was to see of a refusal, if the handler said
	Quarantined      bool
	QuarantineReason string

	AddedHeaders      []Field
	RemovedHeaders    []string // names
	ChangedFrom       string   // "" if it was not
	AddedRecipients   []string
	DeletedRecipients []string
	NewBodySize       int64 // bytes of the new body; -1 if it was not replaced

	Start       time.Time // when the message began
	End         time.Time
	HandlerTime time.Duration // spent in handlers, waiting included
}

// Elapsed returns the time from Start to End; 0 while the message goes on.
func (r *Result) Elapsed() time.Duration {
	if r.End.IsZero() {
		return 0
	}
	return r.End.Sub(r.Start)
}

// A Field is a header field.
type Field struct{ Name, Value string }
