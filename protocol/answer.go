package protocol

import (
	"bytes"
	"encoding/binary"
)

// An Answer is one decoded packet from a milter: what an MTA, a load generator
// or a test reads. Its Views are borrowed. Fields that the code does not use
// are zero.
type Answer struct {
	Code   Code
	Offer  Options    // CodeNegotiate
	Macros MacroLists // CodeNegotiate
	Index  uint32     // CodeInsertHeader, CodeChangeHeader
	Name   View       // header name, address, quarantine reason, or the text of CodeReplyText with "%%" undone
	Value  View       // header value, ESMTP parameters, or a piece of the body
}

// DecodeAnswer decodes one packet from a milter. It is as strict as MTAs are: a
// verdict with a payload is refused, since Postfix takes it for a failure of the
// milter. The error is a [*DecodeError].
func DecodeAnswer(code Code, body View) (Answer, error) {
	a := Answer{Code: code}
	var err error
	switch code {
	case CodeContinue, CodeAccept, CodeReject, CodeTempFail, CodeDiscard, CodeSkip, CodeProgress,
		CodeShutdown, CodeConnectionFailure:
		if len(body) > 0 {
			err = fault(code, "payload", ErrProtocol)
		}
	case CodeNegotiate:
		err = a.decodeNegotiate(body)
	case CodeReplyText:
		err = a.decodeText(body)
	case CodeInsertHeader, CodeChangeHeader:
		if len(body) < 4 {
			return Answer{}, fault(code, "index", ErrShortPacket)
		}
		a.Index = binary.BigEndian.Uint32(body)
		err = a.decodeStrings(body[4:], "name", "value")
	case CodeAddHeader:
		err = a.decodeStrings(body, "name", "value")
	case CodeAddRecipientParams:
		err = a.decodeStrings(body, "address", "params")
	case CodeChangeFrom:
		params := ""
		if bytes.IndexByte(body, 0) < len(body)-1 { // something follows the address
			params = "params"
		}
		err = a.decodeStrings(body, "address", params)
	case CodeAddRecipient, CodeDeleteRecipient:
		err = a.decodeStrings(body, "address", "")
	case CodeQuarantine:
		err = a.decodeStrings(body, "reason", "")
	case CodeReplaceBody:
		a.Value = body
	default:
		err = fault(code, "", ErrUnexpectedCommand)
	}
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// decodeStrings sets Name, and Value if second is not empty, to the strings of b.
func (a *Answer) decodeStrings(b View, first, second string) error {
	var ok bool
	if a.Name, b, ok = cutString(b); !ok {
		return fault(a.Code, first, ErrMissingNull)
	}
	if second == "" {
		return nil
	}
	if a.Value, _, ok = cutString(b); !ok {
		return fault(a.Code, second, ErrMissingNull)
	}
	return nil
}

// decodeNegotiate sets Offer and Macros.
func (a *Answer) decodeNegotiate(b View) error {
	offer, rest, ok := decodeOptions(b)
	if !ok {
		return fault(a.Code, "options", ErrShortPacket)
	}
	a.Offer = offer
	for len(rest) > 0 {
		if len(rest) < 4 {
			return fault(a.Code, "stage", ErrShortPacket)
		}
		stage := Stage(binary.BigEndian.Uint32(rest))
		var names View
		if names, rest, ok = cutString(rest[4:]); !ok {
			return fault(a.Code, "macros", ErrMissingNull)
		}
		if stage >= NumStages {
			return fault(a.Code, "stage", ErrProtocol)
		}
		a.Macros.Add(stage, names.String())
	}
	return nil
}

// decodeText sets Name to the text of an SMTP reply. Sendmail wants exactly one
// NUL, at the end, and both MTAs a code of class 4 or 5.
func (a *Answer) decodeText(b View) error {
	text, rest, ok := cutString(b)
	if !ok {
		return fault(a.Code, "text", ErrMissingNull)
	}
	if len(rest) > 0 || len(text) < 3 || text[0] != '4' && text[0] != '5' {
		return fault(a.Code, "text", ErrProtocol)
	}
	if bytes.Contains(text, []byte("%%")) {
		text = bytes.ReplaceAll(text, []byte("%%"), []byte("%"))
	}
	a.Name = text
	return nil
}

// finals has the status of each final answer.
var finals = [...]Status{
	CodeContinue: StatusContinue, CodeAccept: StatusAccept, CodeReject: StatusReject,
	CodeTempFail: StatusTempFail, CodeDiscard: StatusDiscard, CodeSkip: StatusSkip,
	CodeReplyText: StatusReject,
}

// IsFinal reports whether a ends the MTA's wait.
func (a *Answer) IsFinal() bool {
	return a.Code == CodeNegotiate || int(a.Code) < len(finals) && finals[a.Code] != StatusDefault
}

// Status returns the status of a final answer; Default for any other.
// CodeReplyText is Reject or TempFail by its first digit.
func (a *Answer) Status() Status {
	if int(a.Code) >= len(finals) {
		return StatusDefault
	}
	if a.Code == CodeReplyText && len(a.Name) > 0 && a.Name[0] == '4' {
		return StatusTempFail
	}
	return finals[a.Code]
}

// Clone returns a copy that owns its bytes.
func (a *Answer) Clone() Answer {
	c := *a
	c.Name, c.Value = a.Name.Clone(), a.Value.Clone()
	c.Macros = a.Macros.clone()
	return c
}
