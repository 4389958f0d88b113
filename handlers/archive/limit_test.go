package archive

import (
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// What is larger than max_size is left alone, cut or a failure, whether it was in memory
// or in tmp when that showed; what is not is copied.
func TestMaxSize(t *testing.T) {
	const head = "X-Envelope-From: <a@x.example>\nX-Envelope-To: <b@y.example>\n"
	for _, limit := range []int64{30, 150_000} {
		fits := strings.Repeat("x", int(limit)-len("Subject: hello\n\n"))
		for _, word := range []string{tooLargeSkip, tooLargeTruncate, tooLargeFail} {
			t.Run(word, func(t *testing.T) {
				box := newBox(t, t.TempDir(), func(s *Settings) { s.MaxSize, s.TooLarge = limit, word })
				s := handlertest.New(t, box.handler)
				mark := func(what string) string {
					if word == tooLargeTruncate {
						return head + "X-Archive-Truncated: " + what + "\n"
					}
					return head
				}
				want := []string{mark("no ") + "Subject: hello\n\n" + fits}
				if out := s.Send(letterTo(fits, "<b@y.example>")); out.Status != protocol.StatusContinue {
					t.Errorf("answered %v", out.Status)
				}
				out := s.Send(letterTo(fits+"y"+large(200_000), "<b@y.example>"))
				wantStatus, failures, lines := protocol.StatusContinue, 0, 1
				switch word {
				case tooLargeTruncate:
					want = append(want, mark("yes")+"Subject: hello\n\n"+fits)
				case tooLargeFail:
					wantStatus, failures, lines = protocol.StatusTempFail, 1, 0
				}
				if got := s.Failures(); out.Status != wantStatus || len(got) != failures {
					t.Errorf("answered %v, failures %v", out.Status, got)
				}
				if got := strings.Count(box.log.String(), "max_size="); got != lines {
					t.Errorf("%d lines: %s", got, &box.log)
				}
				box.has(t, want...)
			})
		}
	}
}

// No more of the body is asked for when it is not copied.
func TestSkip(t *testing.T) {
	box := newBox(t, t.TempDir(), func(s *Settings) { s.MaxSize = 100 })
	s := handlertest.New(t, box.handler)
	begin(s, 0)
	if out := s.Do(&protocol.Body{Chunk: protocol.View(large(200))}); out.Status != protocol.StatusSkip {
		t.Errorf("answered %v", out.Status)
	}
	s.EndOfMessage()
	box.has(t)
}

// A header is kept in memory up to a limit; beyond it the message fails, unless it is too
// large anyway.
func TestLongHeader(t *testing.T) {
	field := handlers.Field{Name: "X", Value: strings.Repeat("v", 300_000)}
	for _, tt := range []struct {
		fields int
		limit  int64
		status protocol.Status
		kept   int
	}{{3, 0, protocol.StatusContinue, 1}, {4, 0, protocol.StatusTempFail, 0}, {4, 1000, protocol.StatusContinue, 0}} {
		box := newBox(t, t.TempDir(), func(s *Settings) { s.MaxSize = tt.limit })
		s := handlertest.New(t, box.handler)
		m := letterTo("x\r\n", "<b@y.example>")
		for range tt.fields {
			m.Headers = append(m.Headers, field)
		}
		if out := s.Send(m); out.Status != tt.status {
			t.Errorf("%d fields: answered %v", tt.fields, out.Status)
		}
		if got := len(box.files(t, "new")); got != tt.kept || len(box.files(t, "tmp")) > 0 {
			t.Errorf("%d fields: %d copies", tt.fields, got)
		}
	}
}
