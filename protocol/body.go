package protocol

// Body carries one piece of the body: any bytes, cut anywhere.
type Body struct{ Chunk View }

// Code returns CodeBody.
func (*Body) Code() Code { return CodeBody }

// Clone returns a copy that owns its bytes.
func (b *Body) Clone() Command { return &Body{b.Chunk.Clone()} }

// Append appends the packet of b to dst.
func (b *Body) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeBody)
	return end(append(dst, b.Chunk...), start)
}

// EndOfMessage says that the message is whole. Chunk is the last piece of the
// body; with every MTA of today it is nil.
type EndOfMessage struct{ Chunk View }

// Code returns CodeEndOfMessage.
func (*EndOfMessage) Code() Code { return CodeEndOfMessage }

// Clone returns a copy that owns its bytes.
func (e *EndOfMessage) Clone() Command { return &EndOfMessage{e.Chunk.Clone()} }

// Append appends the packet of e to dst.
func (e *EndOfMessage) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeEndOfMessage)
	return end(append(dst, e.Chunk...), start)
}

// decode sets e to the payload b, which it borrows.
func (e *EndOfMessage) decode(b View) {
	e.Chunk = nil
	if len(b) > 0 {
		e.Chunk = b
	}
}
