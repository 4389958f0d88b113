package handlers

import "millstream/protocol"

// A Kind is a kind of event.
type Kind uint8

// The kinds of events, and what they are told with.
const (
	KindEstablished       Kind = iota + 1 // *Established
	KindNegotiate                         // *Negotiation
	KindMacro                             // *protocol.Macro
	KindConnect                           // *protocol.Connect
	KindHelo                              // *protocol.Helo
	KindEnvelopeFrom                      // *protocol.MailFrom
	KindEnvelopeRecipient                 // *protocol.RcptTo
	KindData                              // *protocol.Data
	KindHeader                            // *protocol.Header
	KindEndOfHeader                       // *protocol.EndOfHeader
	KindBody                              // *protocol.Body
	KindEndOfMessage                      // *Message
	KindUnknown                           // *protocol.Unknown
	KindAbort                             // *Abort
	KindResponse                          // *Response
	KindMessageProcessed                  // *Result
	KindTimeout                           // *Timeout
	KindError                             // *Failure
	KindFinished                          // *Finished
)

var kindNames = [...]string{
	"none",
	"connection-established", "negotiate", "define-macro", "connect", "helo",
	"envelope-from", "envelope-recipient", "data", "header", "end-of-header", "body",
	"end-of-message", "unknown", "abort", "response", "message-processed", "timeout",
	"error", "finished",
}

// String returns the protocol's word for k, such as "envelope-from".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// KindOf returns the kind of ev, which may be a nil pointer; 0 if it is none.
func KindOf(ev Event) Kind {
	switch ev.(type) {
	case *protocol.Header:
		return KindHeader
	case *protocol.Body:
		return KindBody
	case *protocol.Macro:
		return KindMacro
	case *protocol.RcptTo:
		return KindEnvelopeRecipient
	case *protocol.MailFrom:
		return KindEnvelopeFrom
	case *Message:
		return KindEndOfMessage
	case *Response:
		return KindResponse
	case *Result:
		return KindMessageProcessed
	case *protocol.Connect:
		return KindConnect
	case *protocol.Helo:
		return KindHelo
	case *protocol.Data:
		return KindData
	case *protocol.EndOfHeader:
		return KindEndOfHeader
	case *Established:
		return KindEstablished
	case *Negotiation:
		return KindNegotiate
	case *Finished:
		return KindFinished
	case *protocol.Unknown:
		return KindUnknown
	case *Abort:
		return KindAbort
	case *Timeout:
		return KindTimeout
	case *Failure:
		return KindError
	}
	return 0
}

// kindOfCode has the kind of event that each command is.
var kindOfCode = [...]Kind{
	protocol.CodeNegotiate:    KindNegotiate,
	protocol.CodeMacro:        KindMacro,
	protocol.CodeConnect:      KindConnect,
	protocol.CodeHelo:         KindHelo,
	protocol.CodeMailFrom:     KindEnvelopeFrom,
	protocol.CodeRcptTo:       KindEnvelopeRecipient,
	protocol.CodeData:         KindData,
	protocol.CodeHeader:       KindHeader,
	protocol.CodeEndOfHeader:  KindEndOfHeader,
	protocol.CodeBody:         KindBody,
	protocol.CodeEndOfMessage: KindEndOfMessage,
	protocol.CodeUnknown:      KindUnknown,
	protocol.CodeAbort:        KindAbort,
}

// KindFor returns the kind of event that a command is; 0 if it is none.
func KindFor(c protocol.Code) Kind {
	if int(c) >= len(kindOfCode) {
		return 0
	}
	return kindOfCode[c]
}

// Kinds is a set of kinds.
type Kinds uint32

// Unanswered are the kinds of events that take no answer: those that are not
// [Answered].
const Unanswered = Kinds(1<<KindEstablished | 1<<KindMacro | 1<<KindResponse | 1<<KindMessageProcessed |
	1<<KindTimeout | 1<<KindError | 1<<KindFinished)

// Of returns the set of the given kinds.
func Of(kinds ...Kind) (s Kinds) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in s.
func (s Kinds) Has(k Kind) bool { return s>>k&1 != 0 }
