package protocol

import "fmt"

// A Code is the first byte of a packet. Commands and answers do not overlap,
// but for CodeNegotiate, which is both.
type Code byte

// The commands of an MTA.
const (
	CodeNegotiate         Code = 'O' // version, actions, steps
	CodeMacro             Code = 'D' // macros for the command that follows
	CodeConnect           Code = 'C' // an SMTP client connected
	CodeHelo              Code = 'H' // HELO or EHLO
	CodeMailFrom          Code = 'M' // MAIL FROM: a message begins
	CodeRcptTo            Code = 'R' // RCPT TO
	CodeData              Code = 'T' // DATA
	CodeUnknown           Code = 'U' // an SMTP command the MTA does not know
	CodeHeader            Code = 'L' // one header field
	CodeEndOfHeader       Code = 'N' // no header follows
	CodeBody              Code = 'B' // a piece of the body
	CodeEndOfMessage      Code = 'E' // the message is whole
	CodeAbort             Code = 'A' // the message is given up
	CodeQuit              Code = 'Q' // the connection ends
	CodeQuitNewConnection Code = 'K' // the SMTP client is gone, the connection stays
)

// The answers of a milter.
const (
	CodeContinue           Code = 'c'
	CodeAccept             Code = 'a'
	CodeReject             Code = 'r'
	CodeTempFail           Code = 't'
	CodeDiscard            Code = 'd'
	CodeSkip               Code = 's'
	CodeReplyText          Code = 'y' // Reject or TempFail with an SMTP reply
	CodeProgress           Code = 'p'
	CodeAddHeader          Code = 'h'
	CodeInsertHeader       Code = 'i'
	CodeChangeHeader       Code = 'm'
	CodeChangeFrom         Code = 'e'
	CodeAddRecipient       Code = '+'
	CodeAddRecipientParams Code = '2'
	CodeDeleteRecipient    Code = '-'
	CodeReplaceBody        Code = 'b'
	CodeQuarantine         Code = 'q'
	CodeShutdown           Code = '4' // never sent by a session
	CodeConnectionFailure  Code = 'f' // never sent by a session
	CodeSymbolList         Code = 'l' // never a packet of its own
)

// codeNames has the protocol's word for every code: commands first.
var codeNames = [...]string{
	CodeNegotiate:         "negotiate",
	CodeMacro:             "define-macro",
	CodeConnect:           "connect",
	CodeHelo:              "helo",
	CodeMailFrom:          "envelope-from",
	CodeRcptTo:            "envelope-recipient",
	CodeData:              "data",
	CodeUnknown:           "unknown",
	CodeHeader:            "header",
	CodeEndOfHeader:       "end-of-header",
	CodeBody:              "body",
	CodeEndOfMessage:      "end-of-message",
	CodeAbort:             "abort",
	CodeQuit:              "quit",
	CodeQuitNewConnection: "quit-new-connection",

	CodeContinue:           "continue",
	CodeAccept:             "accept",
	CodeReject:             "reject",
	CodeTempFail:           "tempfail",
	CodeDiscard:            "discard",
	CodeSkip:               "skip",
	CodeReplyText:          "reply-text",
	CodeProgress:           "progress",
	CodeAddHeader:          "add-header",
	CodeInsertHeader:       "insert-header",
	CodeChangeHeader:       "change-header",
	CodeChangeFrom:         "change-from",
	CodeAddRecipient:       "add-recipient",
	CodeAddRecipientParams: "add-recipient-params",
	CodeDeleteRecipient:    "delete-recipient",
	CodeReplaceBody:        "replace-body",
	CodeQuarantine:         "quarantine",
	CodeShutdown:           "shutdown",
	CodeConnectionFailure:  "connection-failure",
	CodeSymbolList:         "symbol-list",
}

// String returns the protocol's word for c, such as "envelope-from", or its
// byte in hexadecimal.
func (c Code) String() string {
	if int(c) < len(codeNames) && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("0x%02x", byte(c))
}

// IsCommand reports whether an MTA may send c.
func (c Code) IsCommand() bool {
	return int(c) < len(onCommand) && onCommand[c].from != never
}
