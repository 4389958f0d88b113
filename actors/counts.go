package actors

import (
	"errors"
	"sync/atomic"

	"millstream/handlers"
	"millstream/protocol"
)

// A Limit is one that sessions and their server keep to. How often each was reached
// is counted.
type Limit uint8

// The limits. Those without another package are fields of [Config].
const (
	LimitSessions         Limit = iota // netio.Config.MaxSessions: a connection found no room
	LimitNegotiateTimeout              // the session ended
	LimitTimeout                       // the session ended
	LimitWriteTimeout                  // the session ended
	LimitHandlerTimeout                // FailureStatus answered, or the session went on without the function
	LimitSlowInline                    // a function held the event loop
	LimitEventLoop                     // an event loop did not run for seconds
	LimitPacketSize                    // MaxPacketSize: the session ended
	LimitStrings                       // protocol.MaxStrings or MaxMacros: the session ended
	LimitPending                       // MaxPending: the session ended
	LimitOutbound                      // MaxOutbound, of replies: the session ended
	LimitOutboundChanges               // MaxOutbound, of changes to a message: a function waited
	LimitWorkers                       // MaxWorkers: a function had to wait for others
	LimitResultHeaders                 // MaxResultHeaders or MaxResultHeaderBytes: headers are not in a Result
	LimitResultRecipients              // MaxResultRecipients: recipients are not in a Result
	LimitLinger                        // the last output was not read
	LimitGrace                         // netio.Config.Grace: a session was ended by the end of the server
	numLimits
)

// limitNames are the words for limits, which are values of a label.
var limitNames = [numLimits]string{
	"sessions", "negotiate-timeout", "timeout", "write-timeout", "handler-timeout", "slow-inline", "event-loop",
	"packet-size", "strings", "pending", "outbound", "outbound-changes", "workers", "result-headers",
	"result-recipients", "linger", "grace",
}

// String returns the word for l.
func (l Limit) String() string { return limitNames[l] }

// A Refusal is why a connection was not served: closed before it came to an agreement,
// or not taken at all.
type Refusal uint8

// The refusals.
const (
	RefusedSessions    Refusal = iota // there are as many as allowed
	RefusedDescriptors                // the system has no file descriptors or no memory left; what was not accepted yet waits
	RefusedAccept                     // the system failed otherwise
	RefusedLoop                       // no event loop took it
	RefusedStopping                   // the server stops
	RefusedSilent                     // no offer came in time
	RefusedGarbage                    // what came was no milter protocol
	RefusedOffer                      // what it offers does not do
	RefusedHandler                    // its handler refused it, or could not be made
	numRefusals
)

// refusalNames are the words for refusals, which are values of a label.
var refusalNames = [numRefusals]string{
	"sessions", "descriptors", "accept", "loop", "stopping", "silent", "garbage", "offer", "handler",
}

// String returns the word for r.
func (r Refusal) String() string { return refusalNames[r] }

// breaches are the kinds of errors of the protocol, each with its word, which is the
// value of a label. The first that fits counts. The one of strangers has no error.
var breaches = [...]struct {
	err  error
	name string
}{
	{nil, "stranger"},
	{protocol.ErrPacketEmpty, "packet-empty"},
	{protocol.ErrPacketTooLarge, "packet-too-large"},
	{protocol.ErrShortPacket, "packet-too-short"},
	{protocol.ErrMissingNull, "string-without-end"},
	{protocol.ErrTooMany, "too-many"},
	{protocol.ErrUnexpectedCommand, "unknown-command"},
	{protocol.ErrUnknownFamily, "unknown-family"},
	{protocol.ErrInvalidAddress, "invalid-address"},
	{protocol.ErrUnexpectedEnd, "unexpected-end"},
	{protocol.ErrSequence, "out-of-order"},
	{protocol.ErrVersionTooOld, "version-too-old"},
	{protocol.ErrActionNotOffered, "action-not-offered"},
	{protocol.ErrProtocol, "other"},
}

// counts are of what comes seldom: all sessions share them. Nothing else is kept by
// who observes them.
type counts struct {
	limits   [numLimits]atomic.Int64
	refused  [numRefusals]atomic.Int64
	breaches [len(breaches)]atomic.Int64
}

// breach counts an error of the protocol. look is what the peer seems to be, if it is no
// MTA.
func (c *counts) breach(err error, look string) {
	if look != "" {
		c.breaches[0].Add(1)
		return
	}
	for i := 1; i < len(breaches); i++ {
		if errors.Is(err, breaches[i].err) {
			c.breaches[i].Add(1)
			return
		}
	}
}

// Hit counts that a limit was reached. It may be called from any goroutine.
func (s *System) Hit(l Limit) { s.counts.limits[l].Add(1) }

// Hits returns how often a limit was reached.
func (s *System) Hits(l Limit) int64 { return s.counts.limits[l].Load() }

// Refuse counts a connection that is not served. It may be called from any goroutine.
func (s *System) Refuse(why Refusal) { s.counts.refused[why].Add(1) }

// Refused returns how many connections were not served for a reason.
func (s *System) Refused(why Refusal) int64 { return s.counts.refused[why].Load() }

// outside reports whether the session has not come to an agreement with its MTA.
func (s *session) outside() bool {
	return s.control.Machine().State() < protocol.StateNegotiateReplied
}

// turnedAway counts a session that ends for an error before it has come to an agreement.
// One that the peer has ended was not refused.
func (s *session) turnedAway(err error) {
	if !s.outside() {
		return
	}
	_, panicked := errors.AsType[*handlers.PanicError](err)
	switch {
	case panicked:
		s.sys.Refuse(RefusedHandler)
	case errors.Is(err, protocol.ErrUnexpectedEnd), errors.Is(err, handlers.ErrIO):
	case errors.Is(err, protocol.ErrProtocol):
		s.sys.Refuse(RefusedGarbage)
	case errors.Is(err, protocol.ErrNegotiation):
		s.sys.Refuse(RefusedOffer)
	case errors.Is(err, handlers.ErrTimeout):
		s.sys.Refuse(RefusedSilent)
	case errors.Is(err, handlers.ErrSessionClosed):
		s.sys.Refuse(RefusedStopping)
	default:
		s.sys.Refuse(RefusedHandler)
	}
}
