package protocol

// A Status is a handler's answer to an event, or how a message ended.
type Status uint8

// The statuses. Which may answer which command is in [Status.Answers].
const (
	StatusDefault    Status = iota // no opinion: Continue, or AllOptions in a negotiation
	StatusContinue                 // go on
	StatusAccept                   // take the message and ask no more about it
	StatusReject                   // refuse for good
	StatusTempFail                 // refuse for now
	StatusDiscard                  // take the message and drop it silently
	StatusSkip                     // send no more of the body
	StatusNoReply                  // go on, and write nothing where that was agreed
	StatusAllOptions               // all that is offered; in a negotiation only
	StatusProgress                 // the answer comes later
	StatusAbort                    // the message was given up; never an answer

	numStatuses = iota
)

var statusNames = [numStatuses]string{
	"default", "continue", "accept", "reject", "tempfail", "discard",
	"skip", "no-reply", "all-options", "progress", "abort",
}

// String returns the word for s, such as "tempfail".
func (s Status) String() string {
	if int(s) >= len(statusNames) {
		return "invalid"
	}
	return statusNames[s]
}

// IsPass reports whether s lets things go on: Default, Continue.
func (s Status) IsPass() bool { return s == StatusDefault || s == StatusContinue }

// statuses is a set of statuses.
type statuses uint16

func setOfStatuses(list ...Status) (set statuses) {
	for _, s := range list {
		set |= 1 << s
	}
	return set
}

func (set statuses) has(s Status) bool { return s < numStatuses && set>>s&1 != 0 }

// What handlers may answer to the several kinds of command. NoReply is allowed
// besides where the MTA agreed to wait for no answer.
var (
	toClient  = setOfStatuses(StatusContinue, StatusAccept, StatusReject, StatusTempFail, StatusProgress)
	toMessage = toClient | setOfStatuses(StatusDiscard)
)

// answers is the table of the statuses that may answer each command.
var answers = [...]statuses{
	CodeNegotiate:    setOfStatuses(StatusContinue, StatusReject, StatusAllOptions, StatusProgress),
	CodeConnect:      toClient,
	CodeHelo:         toClient,
	CodeMailFrom:     toMessage,
	CodeRcptTo:       toMessage,
	CodeData:         toMessage,
	CodeUnknown:      setOfStatuses(StatusContinue, StatusReject, StatusTempFail, StatusProgress),
	CodeHeader:       toMessage,
	CodeEndOfHeader:  toMessage,
	CodeBody:         toMessage | setOfStatuses(StatusSkip),
	CodeEndOfMessage: toMessage,
}

// Answers reports whether s may answer c. With granted it takes the no-reply
// steps into account. Default, which is no opinion, always may; the answer to an
// abort does nothing, so any may.
func (s Status) Answers(c Code, granted Steps) bool {
	switch {
	case c == CodeAbort:
		return true
	case int(c) >= len(answers) || answers[c] == 0:
		return false
	case s == StatusDefault:
		return true
	case s == StatusNoReply:
		step := NoReply(c)
		return step != 0 && granted.Has(step)
	}
	return answers[c].has(s)
}

// strength ranks the statuses that win over others.
var strength = [numStatuses]uint8{
	StatusDiscard: 6, StatusReject: 5, StatusTempFail: 4, StatusContinue: 3, StatusSkip: 2, StatusAccept: 1,
}

// Stronger reports whether s wins over t when one verdict is made of several:
// Discard, Reject, TempFail, Continue, Skip, Accept, the rest.
func (s Status) Stronger(t Status) bool {
	return s.strength() > t.strength()
}

func (s Status) strength() uint8 {
	if int(s) >= len(strength) {
		return 0
	}
	return strength[s]
}

// statusCodes has the packet that stands for each status.
var statusCodes = [numStatuses]Code{
	StatusContinue: CodeContinue, StatusAccept: CodeAccept, StatusReject: CodeReject,
	StatusTempFail: CodeTempFail, StatusDiscard: CodeDiscard, StatusSkip: CodeSkip,
}

// AppendReply appends the packet of a final reply: Continue, Accept, Reject,
// TempFail, Discard or Skip, or nothing for any other status. text is used by
// Reject if its code is 5xx and by TempFail if it is 4xx; it may be nil.
func AppendReply(dst []byte, s Status, text *SMTPReply) []byte {
	if int(s) >= len(statusCodes) || statusCodes[s] == 0 {
		return dst
	}
	if text != nil && text.Suits(s) {
		dst, start := begin(dst, CodeReplyText)
		return end(append(dst, text.wire...), start)
	}
	return appendEmpty(dst, statusCodes[s])
}
