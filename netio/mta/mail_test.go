package mta

import (
	"bytes"
	"strings"
	"testing"

	"millstream/protocol"
)

func TestNewMail(t *testing.T) {
	tests := []struct {
		name, message string
		headers       []string // name and value in turn
		body          string
	}{
		{"nothing", "", nil, ""},
		{"headers and body", "A: 1\nB:2\n\nhello\nworld\n", []string{"A", " 1", "B", "2"}, "hello\r\nworld\r\n"},
		{"CRLF", "A: 1\r\n\r\nhello\r\n", []string{"A", " 1"}, "hello\r\n"},
		{"folded", "A: 1\r\n\t2\r\n  3\r\nB:\r\n\r\n", []string{"A", " 1\n\t2\n  3", "B", ""}, ""},
		{"no body", "A: 1\n", []string{"A", " 1"}, ""},
		{"cut off", "A: 1\n 2", []string{"A", " 1\n 2"}, ""},
		{"no header", "\nA: 1\n", nil, "A: 1\r\n"},
		{"no empty line", "A: 1\nhello\n\nB: 2\n", []string{"A", " 1"}, "hello\r\n\r\nB: 2\r\n"},
		{"colon in text", "A: 1\nsee also: 2\n", []string{"A", " 1"}, "see also: 2\r\n"},
		{"space before the colon", "A : b:c\n", []string{"A", " b:c"}, ""},
		{"no name", ": 1\n", nil, ": 1\r\n"},
		{"begins folded", " A: 1\n", nil, " A: 1\r\n"},
		{"name of other letters", "Gr\u00fc\u00dfe: 1\n", nil, "Gr\u00fc\u00dfe: 1\r\n"},
		{"folded name", "A\n B: 1\n", nil, "A\r\n B: 1\r\n"},
		{"empty lines", "A: 1\n\n\n\n", []string{"A", " 1"}, "\r\n\r\n"},
	}
	for _, tt := range tests {
		m := NewMail("<a@example.com>", []string{"<b@example.com>", "<c@example.com>"}, []byte(tt.message))
		var headers []string
		for _, h := range m.Headers {
			headers = append(headers, h.Name.String(), h.Value.String())
		}
		if strings.Join(headers, "|") != strings.Join(tt.headers, "|") || string(m.Body) != tt.body {
			t.Errorf("%s: headers %q, body %q; want %q, %q", tt.name, headers, m.Body, tt.headers, tt.body)
		}
		if m.From.Mailbox().String() != "a@example.com" || len(m.To) != 2 || m.To[1].Mailbox().String() != "c@example.com" {
			t.Errorf("%s: from %s to %s", tt.name, m.From.Addr, m.To)
		}
	}
}

// Nothing of a message is lost, whatever it looks like, and milters can read it.
func FuzzNewMail(f *testing.F) {
	for _, message := range []string{"", "A: 1\r\n\tx\r\n\r\nbody\r\n", "A : b\n\n\n", ":", "\n", "a b: c", "A:\x00\r\r\n\rB:"} {
		f.Add([]byte(message))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		m := NewMail("<>", nil, message)
		var whole []byte
		for _, h := range m.Headers {
			if len(h.Name) == 0 || bytes.ContainsAny(h.Name, " \t\r\n:\x00") {
				t.Errorf("header %q", h.Name)
			}
			whole = append(append(append(whole, h.Name...), ':'), h.Value...)
			whole = append(whole, '\n')
		}
		whole = append(whole, bytes.ReplaceAll(m.Body, []byte("\r\n"), []byte("\n"))...)
		if want := essence(message); !bytes.Equal(essence(whole), want) {
			t.Errorf("%q became %q", message, whole)
		}
	})
}

// essence returns a message without what NewMail may change.
func essence(message []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, message)
}

func TestTaken(t *testing.T) {
	for s, want := range map[protocol.Status]bool{
		protocol.StatusContinue: true, protocol.StatusAccept: true, protocol.StatusDefault: true,
		protocol.StatusReject: false, protocol.StatusTempFail: false, protocol.StatusDiscard: false,
	} {
		if o := (Outcome{Status: s}); o.Taken() != want {
			t.Errorf("%v: taken is %t", s, o.Taken())
		}
	}
}
