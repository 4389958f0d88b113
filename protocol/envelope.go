package protocol

import "bytes"

// MailFrom carries the envelope sender and begins a message.
type MailFrom struct {
	Addr   View // as sent, normally with angle brackets; "<>" is the null sender
	Params Params
}

// Code returns CodeMailFrom.
func (*MailFrom) Code() Code { return CodeMailFrom }

// Mailbox returns the address without its angle brackets. It is borrowed.
func (c *MailFrom) Mailbox() View { return trimBrackets(c.Addr) }

// Clone returns a copy that owns its bytes.
func (c *MailFrom) Clone() Command { return &MailFrom{c.Addr.Clone(), c.Params.Clone()} }

// Append appends the packet of c to dst.
func (c *MailFrom) Append(dst []byte) []byte {
	return appendEnvelope(dst, CodeMailFrom, c.Addr, c.Params)
}

// decode sets c to the fields of b, which it borrows.
func (c *MailFrom) decode(b View) (err error) {
	c.Addr, c.Params, err = decodeEnvelope(CodeMailFrom, b)
	return err
}

// RcptTo carries one envelope recipient.
type RcptTo struct {
	Addr   View // as sent, normally with angle brackets
	Params Params
}

// Code returns CodeRcptTo.
func (*RcptTo) Code() Code { return CodeRcptTo }

// Mailbox returns the address without its angle brackets. It is borrowed.
func (c *RcptTo) Mailbox() View { return trimBrackets(c.Addr) }

// Clone returns a copy that owns its bytes.
func (c *RcptTo) Clone() Command { return &RcptTo{c.Addr.Clone(), c.Params.Clone()} }

// Append appends the packet of c to dst.
func (c *RcptTo) Append(dst []byte) []byte {
	return appendEnvelope(dst, CodeRcptTo, c.Addr, c.Params)
}

// decode sets c to the fields of b, which it borrows.
func (c *RcptTo) decode(b View) (err error) {
	c.Addr, c.Params, err = decodeEnvelope(CodeRcptTo, b)
	return err
}

func appendEnvelope(dst []byte, code Code, addr View, params Params) []byte {
	dst, start := begin(dst, code)
	dst = appendString(dst, addr)
	return end(append(dst, params...), start)
}

// decodeEnvelope takes an address and its parameters from b: strings, each with
// its NUL.
func decodeEnvelope(code Code, b View) (addr View, params Params, err error) {
	addr, rest, ok := cutString(b)
	if !ok {
		return nil, nil, fault(code, "address", ErrMissingNull)
	}
	n := len(rest)
	if n > 0 && rest[n-1] != 0 {
		return nil, nil, fault(code, "params", ErrMissingNull)
	}
	if bytes.Count(rest, []byte{0})+1 > MaxStrings {
		return nil, nil, fault(code, "params", ErrTooMany)
	}
	return addr, Params(rest[:n:n]), nil
}
