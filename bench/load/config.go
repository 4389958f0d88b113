package load

import (
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// A Config sets a run up. Address and Mails must be set.
type Config struct {
	Address string           // of the milter, in its notation or in that of Postfix
	Dialect mta.Dialect      // whose macros and packets are sent
	Offer   protocol.Options // the zero Options is mta.Offer
	Client  mta.Client       // the SMTP client; the zero Client is one at 192.0.2.1
	Mails   []*mta.Mail      // are sent in a random order; their IDs are replaced

	// Connections is how many sessions there are: all the time in a closed loop, at
	// most in an open one. Zero means 1.
	Connections int

	// Rate is when messages are to begin: an open loop. Nil is a closed one, in
	// which a session begins a message when it has the verdict of the last.
	Rate Schedule

	Messages int64         // to send, with an answer or not; 0 is no limit
	Duration time.Duration // after the warm-up; 0 is no limit
	WarmUp   time.Duration // is not measured

	// Reuse is how many messages one connection takes. Zero is all. 1 is what
	// Postfix does.
	Reuse int

	Think   time.Duration // between stages, as a slow SMTP client has it
	Timeout time.Duration // for an answer; progress counts it anew. Zero is 30 s
	Chaos   Chaos
	Expect  []string // names of headers that the milter must add to each message

	Idle    int    // sessions to open and hold, before messages are sent, if any are
	PID     int    // the process of the milter; 0 if it is not known
	Workers int    // event loops; 0 is one for each CPU that the process may use
	Seed    uint64 // of all that is random
}

// Chaos is what MTAs do beside sending mail: shares from 0 to 1 of the messages.
type Chaos struct {
	Abort    float64 // given up at some stage
	Reset    float64 // whose connection breaks at some stage
	Unknown  float64 // with an SMTP command unknown to the MTA
	SlowRead float64 // whose last answer is left unread for SlowTime
}

// SlowTime is how long an answer is left unread by [Chaos].SlowRead.
const SlowTime = time.Second

// A Progress is how far a run is.
type Progress struct {
	Interval
	Done   float64 // from 0 to 1; below 0 if there is no end
	WarmUp bool    // nothing counts yet
	Total  int64   // messages so far
	Failed int64   // errors so far
}
