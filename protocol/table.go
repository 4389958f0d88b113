package protocol

// A moment says when a command may come.
type moment uint8

const (
	never      moment = iota
	anytime           // even before the negotiation
	offering          // first of all, or first after quit-new-connection
	opening           // once, between the negotiation and helo or envelope-from
	negotiated        // after the negotiation
	inMessage         // within a message, at or after its place
)

// A step is what a command does to a session.
type step struct {
	enters  State  // the state until its answer is known
	from    moment // when it may come
	place   uint8  // its place in a message; places only go up
	again   bool   // it may follow itself
	givesUp bool   // a message under way is given up first
}

// onCommand is the whole of what an MTA may say, and when. A command that is not
// here is never in order.
var onCommand = [...]step{
	CodeNegotiate:         {enters: StateNegotiate, from: offering},
	CodeMacro:             {from: anytime},
	CodeConnect:           {enters: StateConnect, from: opening},
	CodeHelo:              {enters: StateHelo, from: negotiated, givesUp: true},
	CodeMailFrom:          {enters: StateEnvelopeFrom, from: negotiated, givesUp: true, place: 1},
	CodeRcptTo:            {enters: StateEnvelopeRecipient, from: inMessage, place: 2, again: true},
	CodeData:              {enters: StateData, from: inMessage, place: 3},
	CodeHeader:            {enters: StateHeader, from: inMessage, place: 4, again: true},
	CodeEndOfHeader:       {enters: StateEndOfHeader, from: inMessage, place: 5},
	CodeBody:              {enters: StateBody, from: inMessage, place: 6, again: true},
	CodeEndOfMessage:      {enters: StateEndOfMessage, from: inMessage, place: 7},
	CodeUnknown:           {enters: StateUnknown, from: negotiated},
	CodeAbort:             {enters: StateAbort, from: anytime, givesUp: true},
	CodeQuit:              {enters: StateQuit, from: anytime, givesUp: true},
	CodeQuitNewConnection: {enters: StateQuit, from: anytime, givesUp: true},
}

// codes is a set of commands.
type codes uint32

func setOfCodes(list ...Code) (set codes) {
	for _, c := range list {
		set |= 1 << (c - 'A')
	}
	return set
}

func (set codes) has(c Code) bool { return set>>(c-'A')&1 != 0 }

// What a message consists of. A recipient is refused alone, so it is not among
// the commands whose refusal ends the message.
var (
	content   = setOfCodes(CodeMailFrom, CodeData, CodeHeader, CodeEndOfHeader, CodeBody, CodeEndOfMessage)
	recipient = setOfCodes(CodeRcptTo)
)

// endsMessage has the commands at which a status ends the message.
var endsMessage = [numStatuses]codes{
	StatusContinue: setOfCodes(CodeEndOfMessage),
	StatusAccept:   content | recipient,
	StatusReject:   content,
	StatusTempFail: content,
	StatusDiscard:  content | recipient,
}
