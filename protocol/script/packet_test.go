package script

import (
	"testing"

	"millstream/protocol"
)

// TestSent has packets of MTAs and the lines that they are.
func TestSent(t *testing.T) {
	tests := []struct {
		name   string
		packet []byte
		joined bool
		want   string
	}{
		{"a command", (&protocol.Helo{Name: protocol.View("mx")}).Append(nil), false, "-> helo mx"},
		{"one that joins", (&protocol.Data{}).Append(nil), true, "+> data"},
		{"more than its fields", []byte("\x00\x00\x00\x02Tx"), false, `-> raw "\x00\x00\x00\x02Tx"`},
		{"no such command", []byte("\x00\x00\x00\x01z"), false, `-> raw "\x00\x00\x00\x01z"`},
		{"half a packet", []byte("\x00\x00\x00\x05Hm"), false, `-> raw "\x00\x00\x00\x05Hm"`},
		{"two packets", []byte("\x00\x00\x00\x01T\x00\x00\x00\x01N"), false, `-> raw "\x00\x00\x00\x01T\x00\x00\x00\x01N"`},
		{"nothing", nil, false, `-> raw ""`},
	}
	for _, tt := range tests {
		if got := Sent(tt.packet, tt.joined).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// FuzzPacket checks that the line of a packet, read again, means that packet.
func FuzzPacket(f *testing.F) {
	for _, packet := range [][]byte{
		protocol.NewMacro(protocol.CodeMailFrom, "i", "Q1", "{x}", "").Append(nil),
		(&protocol.MailFrom{Addr: protocol.View("<a@example>"), Params: protocol.NewParams("SIZE=1")}).Append(nil),
		(&protocol.Header{Name: protocol.View("A b"), Value: protocol.View(" c\n\td")}).Append(nil),
		(&protocol.Body{Chunk: protocol.View("a\x00\r\n")}).Append(nil),
		protocol.AppendReply(nil, protocol.StatusContinue, nil),
		[]byte("\x00\x00\x00\x08y550 no\x00"), []byte("\x00\x00\x00\x05hA\x00b\x00"), nil,
	} {
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		sent, received := Sent(packet, false), Received(packet)
		text := sent.String() + "\n" + received.String() + "\n"
		s, err := Parse("fuzz", text)
		if err != nil {
			t.Fatalf("%q is written down as\n%s%v", packet, text, err)
		}
		if s.String() != text {
			t.Errorf("%q is written down as\n%sand read as\n%s", packet, text, s)
		}
		if sent.Command == nil && string(sent.Append(nil)) != string(packet) {
			t.Errorf("%q is sent as %q", packet, sent.Append(nil))
		}
	})
}
