package protocol

import (
	"fmt"
	"math/bits"
	"strings"
)

// Version is the highest protocol version spoken here. The lowest is 2.
const Version = 6

// MinVersion is the lowest protocol version that is answered.
const MinVersion = 2

// Actions are the changes a milter may make to a message.
type Actions uint32

// The actions.
const (
	ActionAddHeaders             Actions = 1 << iota // add and insert headers
	ActionChangeBody                                 // replace the body
	ActionAddRecipient                               // add recipients
	ActionDeleteRecipient                            // delete recipients
	ActionChangeHeaders                              // change and delete headers
	ActionQuarantine                                 // hold the message
	ActionChangeFrom                                 // change the sender
	ActionAddRecipientWithParams                     // add recipients with ESMTP parameters
	ActionSetSymbolList                              // ask for macros

	ActionsAll Actions = 1<<iota - 1
)

var actionNames = []string{
	"add-headers", "change-body", "add-recipient", "delete-recipient", "change-headers",
	"quarantine", "change-from", "add-recipient-with-params", "set-symbol-list",
}

// Has reports whether all of want are in a.
func (a Actions) Has(want Actions) bool { return a&want == want }

// String returns the names of a, separated by "|".
func (a Actions) String() string { return bitNames(uint32(a), actionNames) }

// ActionFor returns the action that the modification c needs; 0 if none.
func ActionFor(c Code) Actions {
	switch c {
	case CodeAddHeader, CodeInsertHeader:
		return ActionAddHeaders
	case CodeChangeHeader:
		return ActionChangeHeaders
	case CodeChangeFrom:
		return ActionChangeFrom
	case CodeAddRecipient:
		return ActionAddRecipient
	case CodeAddRecipientParams:
		return ActionAddRecipientWithParams
	case CodeDeleteRecipient:
		return ActionDeleteRecipient
	case CodeReplaceBody:
		return ActionChangeBody
	case CodeQuarantine:
		return ActionQuarantine
	}
	return 0
}

// Steps say what the MTA does not send, what is not answered, and a few ways of
// speaking.
type Steps uint32

// The steps.
const (
	StepNoConnect          Steps = 1 << iota // connect is not sent
	StepNoHelo                               // helo is not sent
	StepNoMail                               // envelope-from is not sent
	StepNoRcpt                               // envelope-recipient is not sent
	StepNoBody                               // body is not sent
	StepNoHeaders                            // header is not sent
	StepNoEndOfHeader                        // end-of-header is not sent
	StepNoReplyHeader                        // header is not answered
	StepNoUnknown                            // unknown is not sent
	StepNoData                               // data is not sent
	StepSkip                                 // Skip may answer body
	StepRcptRejected                         // recipients that the MTA refused are sent too
	StepNoReplyConnect                       // connect is not answered
	StepNoReplyHelo                          // helo is not answered
	StepNoReplyMail                          // envelope-from is not answered
	StepNoReplyRcpt                          // envelope-recipient is not answered
	StepNoReplyData                          // data is not answered
	StepNoReplyUnknown                       // unknown is not answered
	StepNoReplyEndOfHeader                   // end-of-header is not answered
	StepNoReplyBody                          // body is not answered
	StepHeaderLeadingSpace                   // header values keep leading white space; the MTA adds none

	StepMaxData256K Steps = 1 << 28 // packets of up to 262143 bytes of payload
	StepMaxData1M   Steps = 1 << 29 // packets of up to 1048575 bytes of payload
)

// Groups of steps.
const (
	StepNoEventMask Steps = StepNoConnect | StepNoHelo | StepNoMail | StepNoRcpt | StepNoBody |
		StepNoHeaders | StepNoEndOfHeader | StepNoUnknown | StepNoData
	StepNoReplyMask Steps = StepNoReplyHeader | StepNoReplyConnect | StepNoReplyHelo | StepNoReplyMail |
		StepNoReplyRcpt | StepNoReplyData | StepNoReplyUnknown | StepNoReplyEndOfHeader | StepNoReplyBody
	StepYesMask Steps = StepSkip | StepRcptRejected | StepHeaderLeadingSpace
	StepsAll    Steps = 1<<21 - 1
)

// Of the two highest bits one is reserved and one is set by test builds of
// Sendmail: neither is an offer.
const stepsNoOffer Steps = 1<<30 | 1<<31

var stepNames = []string{
	"no-connect", "no-helo", "no-mail", "no-rcpt", "no-body", "no-headers", "no-end-of-header",
	"no-reply-header", "no-unknown", "no-data", "skip", "rcpt-rejected", "no-reply-connect",
	"no-reply-helo", "no-reply-mail", "no-reply-rcpt", "no-reply-data", "no-reply-unknown",
	"no-reply-end-of-header", "no-reply-body", "header-leading-space",
	28: "max-data-256k", 29: "max-data-1m",
}

// Has reports whether all of want are in s.
func (s Steps) Has(want Steps) bool { return s&want == want }

// String returns the names of s, separated by "|".
func (s Steps) String() string { return bitNames(uint32(s), stepNames) }

// MaxChunk returns how many bytes of the body an MTA that agreed on s sends in one
// packet.
func (s Steps) MaxChunk() int {
	switch {
	case s.Has(StepMaxData1M):
		return 1<<20 - 1
	case s.Has(StepMaxData256K):
		return 256<<10 - 1
	}
	return MaxBodyChunk
}

// bitNames joins the names of the bits of set.
func bitNames(set uint32, names []string) string {
	var list []string
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if i < len(names) && names[i] != "" {
			list = append(list, names[i])
		} else {
			list = append(list, fmt.Sprintf("0x%x", uint32(1)<<i))
		}
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, "|")
}

// stepsOf has the steps that switch off an event, and those that switch off its
// answer.
var stepsOf = [...]struct{ noEvent, noReply Steps }{
	CodeConnect:     {StepNoConnect, StepNoReplyConnect},
	CodeHelo:        {StepNoHelo, StepNoReplyHelo},
	CodeMailFrom:    {StepNoMail, StepNoReplyMail},
	CodeRcptTo:      {StepNoRcpt, StepNoReplyRcpt},
	CodeData:        {StepNoData, StepNoReplyData},
	CodeUnknown:     {StepNoUnknown, StepNoReplyUnknown},
	CodeHeader:      {StepNoHeaders, StepNoReplyHeader},
	CodeEndOfHeader: {StepNoEndOfHeader, StepNoReplyEndOfHeader},
	CodeBody:        {StepNoBody, StepNoReplyBody},
}

// NoEvent returns the step with which c is not sent; 0 if c is always sent.
func NoEvent(c Code) Steps {
	if int(c) >= len(stepsOf) {
		return 0
	}
	return stepsOf[c].noEvent
}

// NoReply returns the step with which c is not answered; 0 if c is always
// answered, or never.
func NoReply(c Code) Steps {
	if int(c) >= len(stepsOf) {
		return 0
	}
	return stepsOf[c].noReply
}

// Options are what an MTA offers, or what both sides agreed on.
type Options struct {
	Version uint32 // 0 before the negotiation
	Actions Actions
	Steps   Steps
}

// Normal returns the offer o as it is meant: an MTA of the first days sends no
// flags, and some bits are no offers.
func (o Options) Normal() Options {
	if o.Actions == 0 {
		o.Actions = 0x0f
	}
	if o.Steps == 0 {
		o.Steps = 0x3f
	}
	o.Steps &^= stepsNoOffer
	return o
}
