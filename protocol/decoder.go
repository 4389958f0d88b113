package protocol

// A Command is one decoded packet from the MTA. Its Views are borrowed.
type Command interface {
	// Code returns the code of the packet. It may be called on a nil pointer.
	Code() Code

	// Clone returns a copy that owns its bytes.
	Clone() Command

	// Append appends the packet of the command to dst: the MTA's side.
	Append(dst []byte) []byte
}

// A Decoder turns packets into commands. The zero Decoder is ready to use.
type Decoder struct {
	negotiate    Negotiate
	macro        Macro
	connect      Connect
	helo         Helo
	mailFrom     MailFrom
	rcptTo       RcptTo
	data         Data
	unknown      Unknown
	header       Header
	endOfHeader  EndOfHeader
	body         Body
	endOfMessage EndOfMessage
	abort        Abort
	quit         Quit
	quitNew      QuitNewConnection
}

// Decode decodes one packet into a command that the Decoder owns: it is valid
// until the next call, and its Views until body changes. Bytes after the last
// field are ignored, as MTAs differ in them. The error is a [*DecodeError].
func (d *Decoder) Decode(code Code, body View) (Command, error) {
	switch code {
	case CodeNegotiate:
		return &d.negotiate, d.negotiate.decode(body)
	case CodeMacro:
		return &d.macro, d.macro.decode(body)
	case CodeConnect:
		return &d.connect, d.connect.decode(body)
	case CodeHelo:
		return &d.helo, d.helo.decode(body)
	case CodeMailFrom:
		return &d.mailFrom, d.mailFrom.decode(body)
	case CodeRcptTo:
		return &d.rcptTo, d.rcptTo.decode(body)
	case CodeData:
		return &d.data, nil
	case CodeUnknown:
		return &d.unknown, d.unknown.decode(body)
	case CodeHeader:
		return &d.header, d.header.decode(body)
	case CodeEndOfHeader:
		return &d.endOfHeader, nil
	case CodeBody:
		d.body.Chunk = body
		return &d.body, nil
	case CodeEndOfMessage:
		d.endOfMessage.decode(body)
		return &d.endOfMessage, nil
	case CodeAbort:
		return &d.abort, nil
	case CodeQuit:
		return &d.quit, nil
	case CodeQuitNewConnection:
		return &d.quitNew, nil
	}
	return nil, fault(code, "", ErrUnexpectedCommand)
}

// fault returns a DecodeError.
func fault(c Code, field string, err error) error {
	return &DecodeError{Code: c, Field: field, Err: err}
}
