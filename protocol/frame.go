package protocol

import "encoding/binary"

// Sizes that are part of the protocol, in bytes.
const (
	HeaderSize           = 5       // length and code of a packet
	MaxBodyChunk         = 65535   // payload of one replace-body packet
	DefaultMaxPacketSize = 1 << 20 // greatest value of a length field
)

// Counts beyond which a packet is refused with ErrTooMany.
const (
	MaxStrings = 128 // strings in MAIL or RCPT, the address included
	MaxMacros  = 512 // macros in one packet
)

// lengthSize is the size of a length field, which does not count itself.
const lengthSize = 4

// Frame takes the first packet from b. It returns n, the bytes taken; n is 0
// while the packet is not whole. body is a part of b. Frame does not allocate.
//
// A length of 0 is ErrPacketEmpty; one over limit bytes is ErrPacketTooLarge,
// as soon as its four bytes are there.
func Frame(b []byte, limit int) (code Code, body View, n int, err error) {
	if len(b) < lengthSize {
		return 0, nil, 0, nil
	}
	length := int64(binary.BigEndian.Uint32(b))
	if length == 0 {
		return 0, nil, 0, ErrPacketEmpty
	}
	if length > int64(limit) {
		return 0, nil, 0, ErrPacketTooLarge
	}
	if int64(len(b)-lengthSize) < length {
		return 0, nil, 0, nil
	}
	n = lengthSize + int(length)
	return Code(b[lengthSize]), b[HeaderSize:n:n], n, nil
}

// begin appends the head of a packet whose length end fills in.
func begin(dst []byte, c Code) (out []byte, start int) {
	return append(dst, 0, 0, 0, 0, byte(c)), len(dst)
}

// end writes the length of the packet that begins at start.
func end(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-lengthSize))
	return dst
}

// appendEmpty appends a packet without payload.
func appendEmpty(dst []byte, c Code) []byte {
	return append(dst, 0, 0, 0, 1, byte(c))
}

// appendString appends s and the NUL that ends it.
func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	return append(append(dst, s...), 0)
}
