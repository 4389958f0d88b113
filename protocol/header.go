package protocol

// Header carries one header field. Headers come in order. Folded lines are
// separated by LF and white space, without CR.
type Header struct {
	Name  View
	Value View // with its leading white space only if StepHeaderLeadingSpace was granted
}

// Code returns CodeHeader.
func (*Header) Code() Code { return CodeHeader }

// Clone returns a copy that owns its bytes.
func (h *Header) Clone() Command { return &Header{h.Name.Clone(), h.Value.Clone()} }

// Append appends the packet of h to dst.
func (h *Header) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeHeader)
	dst = appendString(dst, h.Name)
	return end(appendString(dst, h.Value), start)
}

// decode sets h to the fields of b, which it borrows.
func (h *Header) decode(b View) error {
	name, rest, ok := cutString(b)
	if !ok {
		return fault(CodeHeader, "name", ErrMissingNull)
	}
	if len(name) == 0 {
		return fault(CodeHeader, "name", ErrProtocol)
	}
	value, _, ok := cutString(rest)
	if !ok {
		return fault(CodeHeader, "value", ErrMissingNull)
	}
	*h = Header{name, value}
	return nil
}

// EndOfHeader says that no header follows.
type EndOfHeader struct{}

// Code returns CodeEndOfHeader.
func (*EndOfHeader) Code() Code { return CodeEndOfHeader }

// Clone returns an EndOfHeader.
func (*EndOfHeader) Clone() Command { return &EndOfHeader{} }

// Append appends the packet to dst.
func (*EndOfHeader) Append(dst []byte) []byte { return appendEmpty(dst, CodeEndOfHeader) }
