package protocol

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// vectorNames has the names of testdata/vectors.txt in the order of the file,
// vectorBytes the packets.
type vectorFile struct {
	names   []string
	packets map[string][]byte
}

var readVectors = sync.OnceValues(func() (*vectorFile, error) {
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		return nil, err
	}
	f := &vectorFile{packets: make(map[string][]byte)}
	var name string
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		rest := line
		if line[0] != ' ' { // else it goes on with the line before
			name, rest, _ = strings.Cut(line, " ")
			if f.packets[name] != nil {
				return nil, fmt.Errorf("line %d: %s is there already", n+1, name)
			}
			f.names = append(f.names, name)
		}
		b, err := parseBytes(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		f.packets[name] = append(f.packets[name], b...)
	}
	return f, nil
})

// parseBytes reads hexadecimal digits and quoted strings.
func parseBytes(s string) (b []byte, err error) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '"' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, fmt.Errorf("%w: %s", err, s)
			}
			text, _ := strconv.Unquote(quoted)
			b, s = append(b, text...), s[len(quoted):]
			continue
		}
		digits, rest, _ := strings.Cut(s, " ")
		if b, err = hex.AppendDecode(b, []byte(digits)); err != nil {
			return nil, err
		}
		s = rest
	}
	return b, nil
}

func allVectors(t testing.TB) *vectorFile {
	t.Helper()
	f, err := readVectors()
	if err != nil {
		t.Fatalf("vectors.txt: %v", err)
	}
	return f
}

// vector returns the bytes that testdata/vectors.txt has under a name.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	p, ok := allVectors(t).packets[name]
	if !ok {
		t.Fatalf("vectors.txt has no %s", name)
	}
	return bytes.Clone(p)
}

// openPacket returns code and payload of a packet that is all of b.
func openPacket(t testing.TB, b []byte) (Code, View) {
	t.Helper()
	code, body, n, err := Frame(b, DefaultMaxPacketSize)
	if err != nil || n != len(b) {
		t.Fatalf("Frame(%q) takes %d of %d bytes, error %v", b, n, len(b), err)
	}
	return code, body
}

// splitPackets returns the packets of b, each with its length.
func splitPackets(t testing.TB, b []byte) (packets [][]byte) {
	t.Helper()
	for len(b) > 0 {
		_, _, n, err := Frame(b, DefaultMaxPacketSize)
		if err != nil || n == 0 {
			t.Fatalf("Frame(%q) takes %d bytes, error %v", b, n, err)
		}
		packets = append(packets, b[:n])
		b = b[n:]
	}
	return packets
}

// checkDecodeError compares err with the sentinel that a decoder is to return
// for a code, wrapped in a DecodeError.
func checkDecodeError(t *testing.T, err error, code Code, field string, want error) {
	t.Helper()
	var fault *DecodeError
	switch {
	case want == nil && err != nil:
		t.Errorf("error %v, want none", err)
	case want == nil:
	case !errors.As(err, &fault):
		t.Errorf("error %v (%T), want a DecodeError", err, err)
	case !errors.Is(fault.Err, want) || !errors.Is(want, fault.Err) || !errors.Is(err, ErrProtocol):
		t.Errorf("error %v, want %v", err, want)
	case fault.Code != code || fault.Field != field:
		t.Errorf("error names %v, field %q; want %v, field %q", fault.Code, fault.Field, code, field)
	}
}

// noAllocs fails the test if f allocates.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s allocates %v times", what, n)
	}
}
