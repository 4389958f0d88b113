package archive

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// A copy has the envelope, and the message byte by byte with LF for CRLF.
func TestCopy(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	refuse := handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
		if string(c.Mailbox()) == "no@y.example" {
			return handlers.Reject
		}
		return handlers.Continue
	})
	s := handlertest.New(t, handlers.Chain(box.handler, refuse))
	s.Send(handlertest.Mail{
		From: "<a@x.example>", To: []string{"<b@y.example>", "<no@y.example>", "<c@y.example>"},
		Headers: []handlers.Field{
			{Name: "Received", Value: "from a\n\tby b"},
			{Name: "SUBJECT", Value: "hello"},
			{Name: "To", Value: "\n b@y.example,\r\n\tc@y.example"},
			{Name: "X-Tab", Value: "\tv"},
			{Name: "X-Two", Value: " v  "},
			{Name: "X-None", Value: ""},
			{Name: "X-CR", Value: "v\r"},
			{Name: "X-Raw", Value: "\xe4\xf6"},
		},
		Body: "a\r\nb\nc\rd\r\r\n\r\n.\r\n\x00\xff\r",
	})
	box.has(t, "X-Envelope-From: <a@x.example>\nX-Envelope-To: <b@y.example>\nX-Envelope-To: <c@y.example>\n"+
		"Received: from a\n\tby b\nSUBJECT: hello\nTo:\n b@y.example,\n\tc@y.example\nX-Tab:\tv\nX-Two:  v  \nX-None:\nX-CR: v\r\nX-Raw: \xe4\xf6\n"+
		"\na\nb\nc\rd\r\n\n.\n\x00\xff\r")
}

// A body that comes in any pieces, also with the end of the message, is the same.
func TestPieces(t *testing.T) {
	for _, pieces := range [][]string{
		{"a\r", "\nb\r", "c\r\n"}, {"a", "\r", "", "\n", "b\r", "c", "\r", "\n"}, {"a\r\nb\rc\r\n"},
	} {
		box := newBox(t, t.TempDir(), nil)
		s := handlertest.New(t, box.handler)
		s.Do(&protocol.MailFrom{Addr: protocol.View("<>")})
		s.Do(&protocol.RcptTo{Addr: protocol.View("<b@y\r\nX: y>")})
		last := len(pieces) - 1
		for _, piece := range pieces[:last] {
			s.Do(&protocol.Body{Chunk: protocol.View(piece)})
		}
		s.Do(&protocol.EndOfMessage{Chunk: protocol.View(pieces[last])})
		box.has(t, "X-Envelope-From: <>\nX-Envelope-To: <b@y??X: y>\n\na\nb\rc\n")
	}
}

// With exact_headers the MTA is asked for all that follows the colon, and that is what
// the copy has. An MTA that cannot is done without.
func TestExactHeaders(t *testing.T) {
	for _, offered := range []bool{true, false} {
		box := newBox(t, t.TempDir(), func(s *Settings) { s.ExactHeaders = true })
		s := handlertest.New(t, box.handler)
		offer := protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
		if !offered {
			offer.Steps &^= protocol.StepHeaderLeadingSpace
		}
		agreed, err := s.Negotiate(offer)
		if err != nil || agreed.Wire.Steps.Has(protocol.StepHeaderLeadingSpace) != offered {
			t.Fatalf("%v agreed on, %v", agreed.Wire.Steps, err)
		}
		m := letterTo("", "<b@y.example>")
		m.Headers = []handlers.Field{{Name: "A", Value: " v"}, {Name: "B", Value: "v"}, {Name: "C", Value: " "}}
		s.Send(m)
		want := "A: v\nB:v\nC: \n"
		if !offered {
			want = "A:  v\nB: v\nC:  \n"
		}
		box.has(t, "X-Envelope-From: <a@x.example>\nX-Envelope-To: <b@y.example>\n"+want+"\n")
	}
}

// A copy stays if the message was taken, whoever decides, and however large it is.
func TestOutcome(t *testing.T) {
	answer := func(r handlers.Reply) handlers.Handler {
		return handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return r })
	}
	hold := handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		m.Quarantine("to be looked at")
		return handlers.Continue
	})
	late := handlers.Go(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Reject })
	tests := []struct {
		name          string
		before, after handlers.Handler
		kept, told    bool // there is a copy; the log tells that there is none
	}{
		{"nobody", nil, nil, true, false},
		{"continue", nil, answer(handlers.Continue), true, false},
		{"accept", nil, answer(handlers.Accept), true, false},
		{"quarantine", nil, hold, true, false},
		{"reject", nil, answer(handlers.Reject), false, false},
		{"pending", nil, late, false, false},
		{"tempfail", nil, answer(handlers.TempFail), false, false},
		{"discard", nil, answer(handlers.Discard), false, false},
		{"failure", nil, answer(handlers.Failed(os.ErrInvalid)), false, false},
		{"reject in front", answer(handlers.Reject), nil, false, false},
		{"accept in front", answer(handlers.Accept), nil, false, true},
		{"accept before the end", nil, handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply { return handlers.Accept }), false, true},
		{"accept before all", handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Accept }), nil, false, true},
		{"reject before the end", nil, handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply { return handlers.Reject }), false, false},
	}
	for _, tt := range tests {
		for _, size := range []int{10, 300 << 10} {
			t.Run(tt.name, func(t *testing.T) {
				box := newBox(t, t.TempDir(), nil)
				var chain []handlers.Handler
				for _, h := range []handlers.Handler{tt.before, box.handler, tt.after} {
					if h != nil {
						chain = append(chain, h)
					}
				}
				s := handlertest.New(t, handlers.Chain(chain...))
				m := letterTo(large(size), "<b@y.example>")
				s.Send(m)
				s.Send(m)
				var want []string
				if tt.kept {
					want = slices.Repeat([]string{copyOf(m.Body)}, 2)
				}
				box.has(t, want...)
				lines := 0
				if tt.told {
					lines = 1
				}
				if got := strings.Count(box.log.String(), "put the archive before what accepts"); got != lines {
					t.Errorf("%d lines, want %d: %s", got, lines, &box.log)
				}
			})
		}
	}
}

// A message that is given up leaves nothing.
func TestAbort(t *testing.T) {
	for name, end := range map[string]func(*handlertest.Session){
		"abort":     func(s *handlertest.Session) { s.Abort() },
		"next mail": func(s *handlertest.Session) { s.Do(&protocol.MailFrom{Addr: protocol.View("<>")}) },
		"quit":      func(s *handlertest.Session) { s.Close() },
		"lost":      func(s *handlertest.Session) { s.Do(&handlers.Finished{Err: handlers.ErrIO}) },
		"timeout":   func(s *handlertest.Session) { s.Do(&handlers.Timeout{}) },
	} {
		t.Run(name, func(t *testing.T) {
			box := newBox(t, t.TempDir(), nil)
			s := handlertest.New(t, box.handler)
			begin(s, 3)
			if len(box.files(t, "tmp")) != 1 {
				t.Fatal("there is no file in tmp: it was not put off")
			}
			end(s)
			box.has(t)
		})
	}
}

// begin sends a message up to some pieces of the body, of 65535 bytes each.
func begin(s *handlertest.Session, pieces int) {
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@x.example>")})
	s.Do(&protocol.RcptTo{Addr: protocol.View("<b@y.example>")})
	s.Do(&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hello")})
	for range pieces {
		s.Do(&protocol.Body{Chunk: protocol.View(strings.Repeat("x", protocol.MaxBodyChunk))})
	}
}

// Of a body no more than 64 KiB and a piece wait in memory, and nothing is in new before
// the message was taken.
func TestSpill(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	s := handlertest.New(t, box.handler)
	begin(s, 0)
	for sent := range 20 {
		if written := len(strings.Join(box.files(t, "tmp"), "")); written < sent*protocol.MaxBodyChunk-spillAt {
			t.Fatalf("after %d pieces only %d bytes are in the file", sent, written)
		}
		s.Do(&protocol.Body{Chunk: protocol.View(strings.Repeat("x", protocol.MaxBodyChunk))})
	}
	if early := box.files(t, "new"); len(early) > 0 {
		t.Errorf("delivered before the end: %q", shorten(early))
	}
	s.EndOfMessage()
	box.has(t, copyOf(strings.Repeat("x", 20*protocol.MaxBodyChunk)))
}

// The MTA is asked for what goes into copies, and waits for pieces of the body and the
// end of the message alone.
func TestWants(t *testing.T) {
	const bcc, body, end = "archive@x.example", handlers.KindBody, handlers.KindEndOfMessage
	tests := []struct {
		settings        Settings
		events, replies handlers.Kinds
	}{
		{
			Settings{Maildir: t.TempDir(), BCC: bcc},
			handlers.Of(handlers.KindEnvelopeRecipient, handlers.KindHeader, body, end, handlers.KindMessageProcessed),
			handlers.Of(body, end, handlers.KindMessageProcessed),
		},
		{Settings{BCC: bcc}, handlers.Of(end), handlers.Of(end)},
	}
	for _, tt := range tests {
		s := Defaults()
		s.Maildir, s.BCC = tt.settings.Maildir, tt.settings.BCC
		h, err := New(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if w := h.Wants(); w.Events != tt.events || w.Replies != tt.replies {
			t.Errorf("events %b, replies %b, want %b, %b", w.Events, w.Replies, tt.events, tt.replies)
		}
	}
}

// A recipient is added, with or without a copy; an MTA that does not allow it is a
// failure, which leaves no copy.
func TestBCC(t *testing.T) {
	for _, path := range []string{"", t.TempDir()} {
		box := newBox(t, path, func(s *Settings) { s.BCC = "archive@x.example" })
		s := handlertest.New(t, box.handler)
		out := s.Send(letterTo("x\r\n", "<b@y.example>"))
		if len(out.Changes) != 1 || out.Changes[0].Code != protocol.CodeAddRecipient || out.Changes[0].Name.String() != "<archive@x.example>" {
			t.Errorf("changes %v", out.Changes)
		}
		s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddHeaders })
		if out := s.Send(letterTo("y\r\n", "<b@y.example>")); out.Status != protocol.StatusTempFail || len(s.Failures()) != 1 {
			t.Errorf("answered %v", out.Status)
		}
		if path != "" {
			box.has(t, copyOf("x\r\n"))
		}
	}
}

// The files of one maildir never have the same name, and it is one of maildirs.
func TestNames(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	const sessions, each = 8, 25
	done := make(chan struct{})
	for range sessions {
		go func() {
			defer func() { done <- struct{}{} }()
			s := handlertest.New(t, box.handler)
			for range each {
				s.Send(letterTo("x\r\n", "<b@y.example>"))
			}
		}()
	}
	for range sessions {
		<-done
	}
	names, err := filepath.Glob(filepath.Join(box.path, "new", "*"))
	if err != nil || len(names) != sessions*each {
		t.Errorf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		if base := filepath.Base(name); !ourName.MatchString(base) || strings.ContainsAny(base, ":/") {
			t.Errorf("name %q", base)
		}
	}
}
