package redis

import (
	"errors"
	"strings"
	"testing"

	"millstream/handlers/store/internal/local"
)

func TestFraming(t *testing.T) {
	tests := []struct {
		name string
		text string
		left int // arrays that are not complete
		ok   bool
	}{
		{"answers", "+OK\r\n-ERR no\r\n:-12\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n", 0, true},
		{"nested", "*2\r\n*2\r\n:1\r\n$0\r\n\r\n*1\r\n+x\r\n:5\r\n", 0, true},
		{"not whole", "*2\r\n:1\r\n", 1, true},
		{"as deep as may be", strings.Repeat("*2\r\n", maxDepth), maxDepth, true},
		{"deeper", strings.Repeat("*2\r\n", maxDepth+1), 0, false},
		{"no type", "x", 0, false},
		{"version 3", "%1\r\n", 0, false},
		{"no number", "$x\r\n", 0, false},
		{"signed", ":+1\r\n", 0, false},
		{"empty", ":\r\n", 0, false},
		{"no CR", "+OK\n", 0, false},
		{"long number", ":" + strings.Repeat("1", 30), 0, false},
		{"long line", "-" + strings.Repeat("x", maxLine+1), 0, false},
		{"long string", "$1048577\r\n", 0, false},
		{"long array", "*65537\r\n", 0, false},
		{"negative", "*-2\r\n", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f framing
			err := f.feed([]byte(tt.text))
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, errNoise) || tt.ok && len(f.left) != tt.left {
				t.Errorf("error %v with %d arrays open", err, len(f.left))
			}
		})
	}
}

// However the bytes come, they are taken alike, and what is kept of them is bounded.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("*2\r\n*2\r\n:1\r\n$0\r\n\r\n*1\r\n+x\r\n-ERR\r\n$-1\r\n"), uint8(3))
	f.Add([]byte("HTTP/1.1 400\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		var whole, parts framing
		want := whole.feed(b)
		var got error
		for rest := b; len(rest) > 0 && got == nil; {
			n := min(len(rest), int(step)+1)
			got = parts.feed(rest[:n])
			rest = rest[n:]
		}
		if (want == nil) != (got == nil) {
			t.Fatalf("%q: %v in one piece, %v in many", b, want, got)
		}
		if want == nil && (whole.skip != parts.skip || len(whole.left) != len(parts.left) || whole.kind != parts.kind || whole.values != parts.values) {
			t.Errorf("%q: %+v in one piece, %+v in many", b, whole, parts)
		}
		if len(parts.left) > maxDepth || len(parts.line) > 32 || parts.skip > maxBulk+2 {
			t.Errorf("%q: %+v", b, parts)
		}
	})
}

func FuzzParseMark(f *testing.F) {
	f.Add(formatMark(local.NewMark(1732234234000000000, -5)))
	f.Add("1732234234000 ")
	f.Add("9223372036854775807 0")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMark(text)
		if err != nil {
			return
		}
		if again, err := parseMark(formatMark(m)); err != nil || again != m || m.First < 0 {
			t.Errorf("%q is %+v, and then %+v, %v", text, m, again, err)
		}
	})
}
