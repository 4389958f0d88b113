package script

import (
	"bytes"

	"millstream/protocol"
)

// Sent returns the line of a whole packet of an MTA; joined says that it came in the
// same write as the one before. What a command cannot say to the last byte is told
// raw. Nothing of packet is kept.
func Sent(packet []byte, joined bool) *Send {
	var d protocol.Decoder
	code, body, n, err := protocol.Frame(packet, len(packet))
	if err == nil && n == len(packet) && n > 0 {
		if c, err := d.Decode(code, body); err == nil && bytes.Equal(c.Append(nil), packet) {
			return &Send{Joined: joined, Command: c.Clone()}
		}
	}
	return &Send{Joined: joined, Raw: Raw{{Text: string(packet), Times: 1}}}
}

// Received returns the line of a whole packet of a milter. Nothing of packet is kept.
func Received(packet []byte) *Receive {
	code, body, n, err := protocol.Frame(packet, len(packet))
	if err == nil && n == len(packet) && n > 0 {
		if a, err := protocol.DecodeAnswer(code, body); err == nil {
			return &Receive{Answer: a.Clone()}
		}
	}
	return &Receive{Raw: bytes.Clone(packet)}
}
