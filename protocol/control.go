package protocol

// Negotiate opens a connection: what the MTA speaks and offers.
type Negotiate struct{ Offer Options }

// Code returns CodeNegotiate.
func (*Negotiate) Code() Code { return CodeNegotiate }

// Clone returns a copy.
func (n *Negotiate) Clone() Command { c := *n; return &c }

// Append appends the packet of n to dst.
func (n *Negotiate) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeNegotiate)
	return end(appendOptions(dst, n.Offer), start)
}

// decode sets n to the fields of b.
func (n *Negotiate) decode(b View) error {
	offer, _, ok := decodeOptions(b)
	if !ok {
		return fault(CodeNegotiate, "options", ErrShortPacket)
	}
	n.Offer = offer
	return nil
}

// Data says that the client sent DATA.
type Data struct{}

// Code returns CodeData.
func (*Data) Code() Code { return CodeData }

// Clone returns a Data.
func (*Data) Clone() Command { return &Data{} }

// Append appends the packet to dst.
func (*Data) Append(dst []byte) []byte { return appendEmpty(dst, CodeData) }

// Unknown carries an SMTP command line that the MTA does not know. The MTA
// refuses it whatever the answer; the answer can only change the text.
type Unknown struct{ Line View }

// Code returns CodeUnknown.
func (*Unknown) Code() Code { return CodeUnknown }

// Clone returns a copy that owns its bytes.
func (u *Unknown) Clone() Command { return &Unknown{u.Line.Clone()} }

// Append appends the packet of u to dst.
func (u *Unknown) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeUnknown)
	return end(appendString(dst, u.Line), start)
}

// decode sets u to the field of b, which it borrows.
func (u *Unknown) decode(b View) error {
	var ok bool
	if u.Line, _, ok = cutString(b); !ok {
		return fault(CodeUnknown, "line", ErrMissingNull)
	}
	return nil
}

// Abort says that the message is given up. It takes no reply.
type Abort struct{}

// Code returns CodeAbort.
func (*Abort) Code() Code { return CodeAbort }

// Clone returns an Abort.
func (*Abort) Clone() Command { return &Abort{} }

// Append appends the packet to dst.
func (*Abort) Append(dst []byte) []byte { return appendEmpty(dst, CodeAbort) }

// Quit says that the connection ends. It takes no reply.
type Quit struct{}

// Code returns CodeQuit.
func (*Quit) Code() Code { return CodeQuit }

// Clone returns a Quit.
func (*Quit) Clone() Command { return &Quit{} }

// Append appends the packet to dst.
func (*Quit) Append(dst []byte) []byte { return appendEmpty(dst, CodeQuit) }

// QuitNewConnection says that the SMTP client is gone and that another one
// follows on the same connection. It takes no reply.
type QuitNewConnection struct{}

// Code returns CodeQuitNewConnection.
func (*QuitNewConnection) Code() Code { return CodeQuitNewConnection }

// Clone returns a QuitNewConnection.
func (*QuitNewConnection) Clone() Command { return &QuitNewConnection{} }

// Append appends the packet to dst.
func (*QuitNewConnection) Append(dst []byte) []byte {
	return appendEmpty(dst, CodeQuitNewConnection)
}
