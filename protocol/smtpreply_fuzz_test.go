package protocol

import (
	"errors"
	"strings"
	"testing"
)

func FuzzSMTPReply(f *testing.F) {
	f.Add(550, "5.7.1", "No thanks")
	f.Add(451, "4.7.1", "try\nlater")
	f.Add(550, "5.7.1", "100% spam")
	f.Add(550, "", "3 strikes\r\n")
	f.Add(421, "", "")
	f.Fuzz(func(t *testing.T, code int, enhanced, text string) {
		r, err := NewSMTPReply(code, enhanced, text)
		if err != nil {
			if !errors.Is(err, ErrInvalidCode) && !errors.Is(err, ErrInvalidArgument) {
				t.Errorf("error %v", err)
			}
			return
		}
		status := StatusTempFail
		if code >= 500 {
			status = StatusReject
		}
		answer, err := DecodeAnswer(openPacket(t, AppendReply(nil, status, r)))
		if err != nil || answer.Status() != status || string(answer.Name) != r.String() {
			t.Fatalf("the MTA reads %+v, error %v; want %q", answer, err, r)
		}
		lines := strings.Split(r.String(), "\r\n")
		for i, line := range lines {
			checkReplyLine(t, line, code, i == len(lines)-1)
		}
		again, err := NewSMTPReply(code, r.Enhanced(), r.Lines()...)
		if err != nil || again.String() != r.String() {
			t.Errorf("made again of its parts: %q, error %v; want %q", again, err, r)
		}
	})
}

// checkReplyLine checks one line as an MTA does.
func checkReplyLine(t *testing.T, line string, code int, last bool) {
	t.Helper()
	sep := byte('-')
	if last {
		sep = ' '
	}
	if len(line) < 4 || int(line[0]-'0')*100+int(line[1]-'0')*10+int(line[2]-'0') != code || line[3] != sep {
		t.Errorf("line %q", line)
		return
	}
	text := line[4:]
	if text != "" && '0' <= text[0] && text[0] <= '9' && text[0] != line[0] {
		t.Errorf("text %q begins with a digit of another class", text)
	}
	if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
		t.Errorf("line of %d bytes: %q", len(line), line)
	}
}
