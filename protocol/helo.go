package protocol

// Helo carries the name given with HELO or EHLO. It may be empty.
type Helo struct{ Name View }

// Code returns CodeHelo.
func (*Helo) Code() Code { return CodeHelo }

// Clone returns a copy that owns its bytes.
func (h *Helo) Clone() Command { return &Helo{h.Name.Clone()} }

// Append appends the packet of h to dst.
func (h *Helo) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeHelo)
	return end(appendString(dst, h.Name), start)
}

// decode sets h to the field of b, which it borrows.
func (h *Helo) decode(b View) error {
	var ok bool
	if h.Name, _, ok = cutString(b); !ok {
		return fault(CodeHelo, "name", ErrMissingNull)
	}
	return nil
}
