package protocol

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// change is one call of an encoder that may refuse what it is given.
type change func(dst []byte) ([]byte, error)

func addHeader(name, value string) change {
	return func(dst []byte) ([]byte, error) { return AppendAddHeader(dst, name, value) }
}

func insertHeader(index int, name, value string) change {
	return func(dst []byte) ([]byte, error) { return AppendInsertHeader(dst, index, name, value) }
}

func changeHeader(name string, index int, value string) change {
	return func(dst []byte) ([]byte, error) { return AppendChangeHeader(dst, name, index, value) }
}

func changeFrom(addr string, params ...string) change {
	return func(dst []byte) ([]byte, error) { return AppendChangeFrom(dst, addr, params...) }
}

func addRecipient(addr string, params ...string) change {
	return func(dst []byte) ([]byte, error) { return AppendAddRecipient(dst, addr, params...) }
}

func deleteRecipient(addr string) change {
	return func(dst []byte) ([]byte, error) { return AppendDeleteRecipient(dst, addr) }
}

func quarantine(reason string) change {
	return func(dst []byte) ([]byte, error) { return AppendQuarantine(dst, reason) }
}

// TestChanges has what is sent for changes beyond the simple ones of the vectors.
func TestChanges(t *testing.T) {
	tests := []struct {
		name   string
		change change
		want   string // code and payload
	}{
		{"empty value", addHeader("X", ""), "hX\x00\x00"},
		{"value as given", addHeader("X", "  a\t "), "hX\x00  a\t \x00"},
		{"value of any bytes", addHeader("X", "ö\xff\x01\x7f"), "hX\x00ö\xff\x01\x7f\x00"},
		{"folded with LF", addHeader("X", "a\n b\n\tc"), "hX\x00a\n b\n\tc\x00"},
		{"folded with CRLF", addHeader("X", "a\r\n b\r\n\tc"), "hX\x00a\n b\n\tc\x00"},
		{"folded with both", addHeader("X", "a\n b\r\n\tc"), "hX\x00a\n b\n\tc\x00"},
		{"first and last of names", addHeader("!~", "a"), "h!~\x00a\x00"},
		{"insert, highest index", insertHeader(math.MaxInt32, "X", "a\r\n b"), "i\x7f\xff\xff\xffX\x00a\n b\x00"},
		{"change, index 0", changeHeader("X", 0, "a"), "m\x00\x00\x00\x00X\x00a\x00"},
		{"change, highest index", changeHeader("X", math.MaxInt32, "a"), "m\x7f\xff\xff\xffX\x00a\x00"},
		{"null sender", changeFrom("<>"), "e<>\x00"},
		{"sender without brackets", changeFrom("a@example"), "ea@example\x00"},
		{"sender, two params", changeFrom("<>", "SIZE=9", "BODY=7BIT"), "e<>\x00SIZE=9 BODY=7BIT\x00"},
		{"recipient, two params", addRecipient("<a>", "A=1", "B"), "2<a>\x00A=1 B\x00"},
		{"recipient without params", addRecipient("<a>", []string{}...), "+<a>\x00"},
		{"reason of any bytes", quarantine("a\t\xff"), "qa\t\xff\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.change(nil)
			if err != nil {
				t.Fatal(err)
			}
			if code, body := openPacket(t, b); string(byte(code))+string(body) != tt.want {
				t.Errorf("%q, want %q", b[4:], tt.want)
			}
			if _, err := DecodeAnswer(openPacket(t, b)); err != nil {
				t.Errorf("the MTA says %v", err)
			}
		})
	}
}

func TestChangesRefused(t *testing.T) {
	tests := []struct {
		name   string
		change change
		code   Code
		arg    string
		err    error
	}{
		{"no name", addHeader("", "a"), CodeAddHeader, "name", ErrEmpty},
		{"no name, bad value", addHeader("", "a\x00"), CodeAddHeader, "name", ErrEmpty},
		{"colon in name", addHeader("X:", "a"), CodeAddHeader, "name", ErrInvalidArgument},
		{"space in name", addHeader("X Y", "a"), CodeAddHeader, "name", ErrInvalidArgument},
		{"delete in name", addHeader("X\x7f", "a"), CodeAddHeader, "name", ErrInvalidArgument},
		{"NUL in name", addHeader("X\x00", "a"), CodeAddHeader, "name", ErrInvalidArgument},
		{"letter beyond ASCII in name", addHeader("Ö", "a"), CodeAddHeader, "name", ErrInvalidArgument},
		{"line end in name", addHeader("X\n", "a"), CodeAddHeader, "name", ErrInvalidArgument},
		{"NUL in value", addHeader("X", "a\x00b"), CodeAddHeader, "value", ErrInvalidArgument},
		{"CR in value", addHeader("X", "a\rb"), CodeAddHeader, "value", ErrInvalidArgument},
		{"CR before space", addHeader("X", "a\r b"), CodeAddHeader, "value", ErrInvalidArgument},
		{"CR at the end", addHeader("X", "a\r"), CodeAddHeader, "value", ErrInvalidArgument},
		{"two CR before LF", addHeader("X", "a\r\r\n b"), CodeAddHeader, "value", ErrInvalidArgument},
		{"another header in value", addHeader("X", "a\nBcc: b"), CodeAddHeader, "value", ErrInvalidArgument},
		{"another header behind CRLF", addHeader("X", "a\r\nBcc: b"), CodeAddHeader, "value", ErrInvalidArgument},
		{"line end at the end", addHeader("X", "a\n"), CodeAddHeader, "value", ErrInvalidArgument},
		{"empty line in value", addHeader("X", "a\n\n b"), CodeAddHeader, "value", ErrInvalidArgument},
		{"end of header in value", addHeader("X", "a\r\n\r\nbody"), CodeAddHeader, "value", ErrInvalidArgument},

		{"insert, no name", insertHeader(0, "", "a"), CodeInsertHeader, "name", ErrEmpty},
		{"insert, bad value", insertHeader(0, "X", "\x00"), CodeInsertHeader, "value", ErrInvalidArgument},
		{"insert, index below 0", insertHeader(-1, "X", "a"), CodeInsertHeader, "index", ErrInvalidArgument},
		{"insert, index too high", insertHeader(math.MaxInt32+1, "X", "a"), CodeInsertHeader, "index", ErrInvalidArgument},
		{"change, no name", changeHeader("", 1, "a"), CodeChangeHeader, "name", ErrEmpty},
		{"change, index below 0", changeHeader("X", -1, ""), CodeChangeHeader, "index", ErrInvalidArgument},
		{"change, lowest index", changeHeader("X", math.MinInt, ""), CodeChangeHeader, "index", ErrInvalidArgument},
		{"change, highest index", changeHeader("X", math.MaxInt, ""), CodeChangeHeader, "index", ErrInvalidArgument},

		{"no sender", changeFrom(""), CodeChangeFrom, "address", ErrEmpty},
		{"NUL in sender", changeFrom("<a\x00>"), CodeChangeFrom, "address", ErrInvalidArgument},
		{"LF in sender", changeFrom("<a>\n"), CodeChangeFrom, "address", ErrInvalidArgument},
		{"CR in sender", changeFrom("\r<a>"), CodeChangeFrom, "address", ErrInvalidArgument},
		{"sender, empty param", changeFrom("<a>", "A=1", ""), CodeChangeFrom, "params", ErrEmpty},
		{"sender, NUL in param", changeFrom("<a>", "A=\x00"), CodeChangeFrom, "params", ErrInvalidArgument},
		{"no recipient", addRecipient(""), CodeAddRecipient, "address", ErrEmpty},
		{"LF in recipient", addRecipient("<a\n>"), CodeAddRecipient, "address", ErrInvalidArgument},
		{"no recipient, params", addRecipient("", "A=1"), CodeAddRecipientParams, "address", ErrEmpty},
		{"recipient, empty param", addRecipient("<a>", ""), CodeAddRecipientParams, "params", ErrEmpty},
		{"recipient, LF in param", addRecipient("<a>", "A=1", "B\n"), CodeAddRecipientParams, "params", ErrInvalidArgument},
		{"no recipient to delete", deleteRecipient(""), CodeDeleteRecipient, "address", ErrEmpty},
		{"NUL in recipient to delete", deleteRecipient("<\x00>"), CodeDeleteRecipient, "address", ErrInvalidArgument},
		{"no reason", quarantine(""), CodeQuarantine, "reason", ErrEmpty},
		{"LF in reason", quarantine("a\nb"), CodeQuarantine, "reason", ErrInvalidArgument},
		{"CR in reason", quarantine("a\r"), CodeQuarantine, "reason", ErrInvalidArgument},
		{"NUL in reason", quarantine("\x00"), CodeQuarantine, "reason", ErrInvalidArgument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.change([]byte("before"))
			if string(b) != "before" {
				t.Errorf("appended %q", b[6:])
			}
			arg, ok := errors.AsType[*ArgumentError](err)
			if !ok || !errors.Is(err, tt.err) || arg.Code != tt.code || arg.Arg != tt.arg {
				t.Errorf("error %v, want %v for %s of %v", err, tt.err, tt.arg, tt.code)
			}
		})
	}
}

// TestHeaderNames tries every byte as the name of a header.
func TestHeaderNames(t *testing.T) {
	for c := range 256 {
		_, err := AppendAddHeader(nil, string([]byte{byte(c)}), "")
		if want := c >= 33 && c <= 126 && c != ':'; (err == nil) != want {
			t.Errorf("name of byte %d: error %v", c, err)
		}
	}
}

func TestReplaceBody(t *testing.T) {
	tests := []struct {
		size    int
		packets []int // payloads
	}{
		{0, []int{0}},
		{1, []int{1}},
		{MaxBodyChunk - 1, []int{MaxBodyChunk - 1}},
		{MaxBodyChunk, []int{MaxBodyChunk}},
		{MaxBodyChunk + 1, []int{MaxBodyChunk, 1}},
		{2 * MaxBodyChunk, []int{MaxBodyChunk, MaxBodyChunk}},
		{70000, []int{MaxBodyChunk, 4465}},
	}
	for _, tt := range tests {
		body := []byte(strings.Repeat("0123456789\r\n", tt.size/12+1)[:tt.size])
		b := AppendReplaceBody([]byte("before"), body)
		rest, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok {
			t.Fatalf("%d bytes: %q", tt.size, b[:min(len(b), 20)])
		}
		var sizes []int
		var joined []byte
		for _, packet := range splitPackets(t, rest) {
			answer, err := DecodeAnswer(openPacket(t, packet))
			if err != nil || answer.Code != CodeReplaceBody {
				t.Fatalf("%d bytes: %v, error %v", tt.size, answer.Code, err)
			}
			sizes = append(sizes, len(answer.Value))
			joined = append(joined, answer.Value...)
		}
		if !slices.Equal(sizes, tt.packets) || !bytes.Equal(joined, body) {
			t.Errorf("%d bytes are sent as %v, want %v; the same body: %v", tt.size, sizes, tt.packets, bytes.Equal(joined, body))
		}
	}
}
