package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
)

// TestFrameWhole takes every packet of the vectors whole, and checks that what
// follows it does not matter.
func TestFrameWhole(t *testing.T) {
	vectors := allVectors(t)
	for _, name := range vectors.names {
		for _, packet := range splitPackets(t, vectors.packets[name]) {
			for _, next := range []string{"", "\x00", "\x00\x00\x00\x01T", "\xff\xff\xff\xff"} {
				code, body, n, err := Frame(append(bytes.Clone(packet), next...), DefaultMaxPacketSize)
				if err != nil || n != len(packet) {
					t.Fatalf("%s, then %q: takes %d bytes, error %v; want %d", name, next, n, err, len(packet))
				}
				if code != Code(packet[4]) || !bytes.Equal(body, packet[5:]) {
					t.Errorf("%s, then %q: %v %q", name, next, code, body)
				}
			}
		}
	}
}

// TestFrameSplit gives Frame every proper beginning of a packet.
func TestFrameSplit(t *testing.T) {
	vectors := allVectors(t)
	for _, name := range vectors.names {
		for _, packet := range splitPackets(t, vectors.packets[name]) {
			for i := range packet {
				code, body, n, err := Frame(packet[:i:i], DefaultMaxPacketSize)
				if code != 0 || body != nil || n != 0 || err != nil {
					t.Errorf("%s, %d of %d bytes: %v %q, %d, error %v", name, i, len(packet), code, body, n, err)
				}
			}
		}
	}
}

// TestFrameSplitStream feeds all vectors as one stream, in pieces of every size up
// to some: the packets are the same however they are cut.
func TestFrameSplitStream(t *testing.T) {
	vectors := allVectors(t)
	var stream []byte
	for _, name := range vectors.names {
		stream = append(stream, vectors.packets[name]...)
	}
	want := splitPackets(t, stream)
	for size := 1; size <= 64; size++ {
		var buf []byte
		var got [][]byte
		for piece := range slices.Chunk(stream, size) {
			buf = append(buf, piece...)
			for n := frameSize(t, buf); n > 0; n = frameSize(t, buf) {
				got = append(got, bytes.Clone(buf[:n]))
				buf = buf[n:]
			}
		}
		if len(buf) != 0 || !bytes.Equal(bytes.Join(got, nil), stream) || len(got) != len(want) {
			t.Errorf("pieces of %d: %d packets and %d bytes, want %d packets", size, len(got), len(buf), len(want))
		}
	}
}

// frameSize returns the size of the first packet of b, 0 while it is not whole.
func frameSize(t *testing.T, b []byte) int {
	t.Helper()
	_, _, n, err := Frame(b, DefaultMaxPacketSize)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFrameLength(t *testing.T) {
	const limit = 100
	tests := []struct {
		name   string
		length uint32
		after  int // bytes after the length
		limit  int
		n      int
		err    error
	}{
		{"nothing in it", 0, 0, limit, 0, ErrPacketEmpty},
		{"nothing in it, more follows", 0, 20, limit, 0, ErrPacketEmpty},
		{"code alone", 1, 1, limit, 5, nil},
		{"below the limit", limit - 1, limit - 1, limit, limit + 3, nil},
		{"at the limit", limit, limit, limit, limit + 4, nil},
		{"at the limit, a byte short", limit, limit - 1, limit, 0, nil},
		{"over the limit", limit + 1, limit + 1, limit, 0, ErrPacketTooLarge},
		{"over the limit, length alone", limit + 1, 0, limit, 0, ErrPacketTooLarge},
		{"greatest length", math.MaxUint32, 0, limit, 0, ErrPacketTooLarge},
		{"greatest length, more follows", math.MaxUint32, 20, limit, 0, ErrPacketTooLarge},
		{"sign bit", 1 << 31, 20, DefaultMaxPacketSize, 0, ErrPacketTooLarge},
		{"default limit", DefaultMaxPacketSize, 0, DefaultMaxPacketSize, 0, nil},
		{"over the default limit", DefaultMaxPacketSize + 1, 0, DefaultMaxPacketSize, 0, ErrPacketTooLarge},
		{"limit of none", 1, 1, 0, 0, ErrPacketTooLarge},
		{"limit below none", 1, 1, -1, 0, ErrPacketTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := binary.BigEndian.AppendUint32(nil, tt.length)
			b = append(b, make([]byte, tt.after)...)
			_, _, n, err := Frame(b, tt.limit)
			if n != tt.n || !errors.Is(err, tt.err) {
				t.Errorf("%d bytes, error %v; want %d, %v", n, err, tt.n, tt.err)
			}
			if err != nil && !errors.Is(err, ErrProtocol) {
				t.Errorf("%v is no protocol error", err)
			}
		})
	}
}

// TestFrameBody checks that nobody can write over the next packet by appending to
// the payload of this one, and that an empty payload is a View and not nil.
func TestFrameBody(t *testing.T) {
	b := append(vector(t, "body"), vector(t, "quit")...)
	_, body, n, err := Frame(b, DefaultMaxPacketSize)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(body, "over"...)
	if !bytes.Equal(b[n:], vector(t, "quit")) {
		t.Errorf("the packet that follows is now %q", b[n:])
	}
	if _, body, _, _ = Frame(b[n:], DefaultMaxPacketSize); body == nil || len(body) != 0 {
		t.Errorf("no payload is %#v, want an empty View", body)
	}
}

func TestUnexpectedEnd(t *testing.T) {
	if _, _, n, err := Frame([]byte{0, 0, 0}, DefaultMaxPacketSize); n != 0 || err != nil {
		t.Errorf("three bytes: takes %d, error %v; whoever reads knows that more must come", n, err)
	}
	if !errors.Is(ErrUnexpectedEnd, io.ErrUnexpectedEOF) {
		t.Error("ErrUnexpectedEnd is not io.ErrUnexpectedEOF")
	}
}

func FuzzFrame(f *testing.F) {
	vectors := allVectors(f)
	for _, name := range vectors.names {
		f.Add(vectors.packets[name], DefaultMaxPacketSize)
	}
	f.Add([]byte{0, 0, 0, 0}, 10)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 'B'}, 10)
	f.Add([]byte{0, 0, 0, 3, 'B', 'x', 'y'}, 3)
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		code, body, n, err := Frame(b, limit)
		switch {
		case n < 0 || n > len(b) || err != nil && n != 0:
			t.Fatalf("takes %d of %d bytes, error %v", n, len(b), err)
		case n == 0:
			if code != 0 || body != nil {
				t.Errorf("takes nothing and returns %v %q", code, body)
			}
			return
		}
		again := binary.BigEndian.AppendUint32(nil, uint32(n-lengthSize))
		again = append(append(again, byte(code)), body...)
		if !bytes.Equal(again, b[:n]) {
			t.Errorf("packet %q put together again is %q", b[:n], again)
		}
		if n-lengthSize > limit {
			t.Errorf("length %d is over the limit %d", n-lengthSize, limit)
		}
		for i := range n {
			if _, _, n, err := Frame(b[:i], limit); n != 0 || err != nil {
				t.Fatalf("%d bytes of it: takes %d, error %v", i, n, err)
			}
		}
	})
}

// TestSizes has the numbers that others rely on.
func TestSizes(t *testing.T) {
	tests := []struct {
		name      string
		got, want int
	}{
		{"HeaderSize", HeaderSize, 5},
		{"MaxBodyChunk", MaxBodyChunk, 65535},
		{"DefaultMaxPacketSize", DefaultMaxPacketSize, 1048576},
		{"MaxStrings", MaxStrings, 128},
		{"MaxMacros", MaxMacros, 512},
		{"Version", Version, 6},
		{"MinVersion", MinVersion, 2},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s is %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}
