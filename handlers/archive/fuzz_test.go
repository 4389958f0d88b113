package archive

import (
	"bytes"
	"testing"
)

// However a body is split, the lines are the same.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb\r\r\n\n\rc"), uint8(3))
	f.Add([]byte("\r"), uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, at uint8) {
		n := min(int(at), len(body))
		got, cr := appendLines(nil, body[:n], false)
		got, cr = appendLines(got, body[n:], cr)
		if cr {
			got = append(got, '\r')
		}
		if want := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
			t.Errorf("%q at %d is %q, want %q", body, n, got, want)
		}
	})
}

// What an MTA leaves out of a header field is put back, but for what it cannot be told
// from; with all of it there is nothing to put back.
func FuzzField(f *testing.F) {
	f.Add([]byte(" hello"))
	f.Add([]byte("\n hello\r\n\tyou"))
	f.Add([]byte("  "))
	f.Fuzz(func(t *testing.T, value []byte) {
		want := bytes.ReplaceAll(append([]byte("X:"), value...), []byte("\r\n"), []byte("\n"))
		want = append(want, '\n')
		if got := appendField(nil, []byte("X"), value, true); !bytes.Equal(got, want) {
			t.Errorf("%q is %q", value, got)
		}
		rest, stripped := bytes.CutPrefix(value, []byte(" "))
		ambiguous := stripped == (len(rest) == 0 || bytes.IndexByte([]byte("\t\r\n"), rest[0]) >= 0)
		if got := appendField(nil, []byte("X"), rest, false); !ambiguous && !bytes.Equal(got, want) {
			t.Errorf("%q without its space is %q", value, got)
		}
	})
}
