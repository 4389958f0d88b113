package protocol

import (
	"errors"
	"testing"
)

// firstFault reads b as all that an MTA ever sends, and returns the first error.
func firstFault(b []byte) error {
	var d Decoder
	m := NewMachine()
	for len(b) > 0 {
		code, body, n, err := Frame(b, DefaultMaxPacketSize)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrUnexpectedEnd
		}
		if _, err := d.Decode(code, body); err != nil {
			return err
		}
		if _, err := m.Receive(code); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// TestMalformed has bytes that make no sense, as in testdata/vectors.txt.
func TestMalformed(t *testing.T) {
	tests := []struct {
		name  string
		bytes string
		err   error
	}{
		{"nothing", ``, nil},
		{"length of zero", `00000000`, ErrPacketEmpty},
		{"greatest length", `ffffffff`, ErrPacketTooLarge},
		{"over the limit", `00100001`, ErrPacketTooLarge},
		{"negotiate, a byte short", `0000000c "O" 00000006 000001ff 001fff`, ErrShortPacket},
		{"macros without a stage", `00000001 "D"`, ErrShortPacket},
		{"macro without a value", `00000005 "D" "C" "ab" 00`, ErrMissingNull},
		{"connect, host without end", `00000005 "C" "host"`, ErrMissingNull},
		{"connect, no family", `00000006 "C" "host" 00`, ErrShortPacket},
		{"connect, half a port", `00000008 "C" "host" 00 "4" 00`, ErrShortPacket},
		{"connect, family nobody knows", `00000007 "C" "host" 00 "X"`, ErrUnknownFamily},
		{"connect, bad address", `00000015 "C" "host" 00 "4" 0019 "192.0.2.12x" 00`, ErrInvalidAddress},
		{"helo without end", `00000005 "H" "host"`, ErrMissingNull},
		{"sender without end", `00000003 "M" "<>"`, ErrMissingNull},
		{"no sender", `00000001 "M"`, ErrMissingNull},
		{"recipient without end", `00000003 "R" "<>"`, ErrMissingNull},
		{"no recipient", `00000001 "R"`, ErrMissingNull},
		{"unknown command without end", `00000005 "U" "HELP"`, ErrMissingNull},
		{"header without a value", `00000009 "L" "Subject" 00`, ErrMissingNull},
		{"header without a name", `00000005 "L" 00 "hi" 00`, ErrProtocol},
		{"no command", `00000001 "z"`, ErrUnexpectedCommand},
		{"connect before negotiate", `00000007 "C" "host" 00 "U"`, ErrSequence},
		{"sender before negotiate", `00000004 "M" "<>" 00`, ErrSequence},
		{"end within the length", `000000`, ErrUnexpectedEnd},
		{"end before the code", `00000001`, ErrUnexpectedEnd},
		{"end within the payload", `0000000d "O" 00000006`, ErrUnexpectedEnd},
		{"fault in the second packet", `00000003 "D" 5400 00000001 "z"`, ErrMissingNull},
		{"fault behind a good packet", `00000002 "D" 54 00000001 "z"`, ErrUnexpectedCommand},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := parseBytes(tt.bytes)
			if err != nil {
				t.Fatal(err)
			}
			err = firstFault(b)
			if !errors.Is(err, tt.err) || err != nil && !errors.Is(err, ErrProtocol) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
		})
	}
}
