package when_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

func template(t testing.TB, source string) *when.Text {
	t.Helper()
	text, err := when.Template(source, names)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return text
}

func TestTemplate(t *testing.T) {
	tests := []struct{ source, want string }{
		{``, ``},
		{`plain } text { 100%`, `plain } text { 100%`},
		{`{{sender}} via {{client_addr}}`, `Alice@Example.COM via 192.0.2.7`},
		{`{{ rcpt_count }} of {{ size > 3 }}, {{ size / 2 }}`, `2 of true, 8`},
		{`{{ join(rcpts, ", ") }}; {{ rcpt }}`, `bob@example.net, BOSS@example.com; BOSS@example.com`},
		{`{{ authenticated ? "user " + auth_user : "stranger" }} at {{ stage }}`, `user alice at end-of-message`},
		{`{{ "{{" }}{{ header("Subject") }}`, `{{Hello world`},
		{`{{ header("Received") }}/{{ last(headers("Received")) }}`, "from a/from b by c"},
		{`{{ result("spamcheck").verdict }}.`, `.`},
	}
	for _, tt := range tests {
		text, got := template(t, tt.source), ""
		h := text.Around(handlers.Chain(
			handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply { return handlers.Skip }),
			handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
				var err error
				if got, err = text.Header(s); err != nil {
					t.Error(err)
				}
				return handlers.Continue
			}),
		))
		play(t, h, letter()...)
		if got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.source, got, tt.want)
		}
		if text.String() != tt.source {
			t.Errorf("%s is written %s", tt.source, text)
		}
	}
}

// A text that asks for nothing but what a session knows costs the handler no event, and
// is known without what goes around it.
func TestTemplateOfSession(t *testing.T) {
	text := template(t, "{{session > 0}} {{now >= begun}} {{took matches \"^[0-9.]+.?s$\"}} {{queue_id}}")
	var got string
	h := handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
		got, _ = text.Header(s)
		return handlers.Continue
	})
	if wants := text.Around(h).Wants(); wants != h.Wants() {
		t.Errorf("wants %v", wants)
	}
	play(t, text.Around(h), letter()...)
	if got != "true true true 4F1bN71jzQ" {
		t.Errorf("%q", got)
	}
	client := template(t, "{{client_addr}}")
	if wants := client.Around(h).Wants(); wants.Events != h.Wants().Events|handlers.Of(handlers.KindConnect) || wants.Replies != h.Wants().Replies {
		t.Errorf("wants %v", wants)
	}
}

// What a stranger sends does not get out of its line.
func TestTemplateIsSafe(t *testing.T) {
	text := template(t, "from {{helo}}, {{sender}}: {{header(\"X\")}}\r\n!")
	var inHeader, inReply string
	h := text.Around(handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
		inHeader, _ = text.Header(s)
		inReply, _ = text.Reply(s)
		m.AddHeader("X-From", inHeader)
		return handlers.Reject.With(550, "5.7.1", inReply)
	}))
	s := play(t, h, &protocol.Helo{Name: view("a\r\nb\tc\x7f")}, mail("<ä\xff@x\u0085>"), header("X", "1\n 2\x01\u2028"))
	out := s.EndOfMessage()
	if want := "from a  b c , ä?@x : 1 2 \u2028  !"; inHeader != want {
		t.Errorf("header %q, want %q", inHeader, want)
	}
	if want := "from a  b c , ??@x : 1 2 ?  !"; inReply != want {
		t.Errorf("reply %q, want %q", inReply, want)
	}
	if out.Status != protocol.StatusReject || len(s.Failures()) > 0 {
		t.Errorf("answered %v", out.Status)
	}
}

// A text has an end, and what is not known yet is empty.
func TestTemplateLimits(t *testing.T) {
	text := template(t, "{{header(\"X\")}}{{header(\"X\")}}")
	h := text.Around(handlers.Chain(
		handlers.On(func(s *handlers.Session, _ *protocol.Helo) handlers.Reply {
			if got, err := text.Header(s); got != "" || err != nil {
				t.Errorf("before the message: %q, %v", got, err)
			}
			return handlers.Continue
		}),
		handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
			if got, err := text.Header(s); len(got) != 4095 || strings.Trim(got, "ée") != "" || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			return handlers.Continue
		}),
	))
	play(t, h, &protocol.Helo{}, mail("<a@x>"), header("X", strings.Repeat("é", 2000)+"e"), header("X", "2"), theEnd)
}

func TestTemplateErrors(t *testing.T) {
	tests := []struct{ source, want string }{
		{`a {{sender`, `1:3: {{ without }}: write what is to stand there as it is, in quotes: {{"{{"}}`},
		{`a {{ sendr }}`, `1:6: unknown name "sendr": did you mean sender?`},
		{"ä\nö {{\n sendr }}", `3:2: unknown name "sendr": did you mean sender?`},
		{`{{rcpts}}`, `1:3: this is a list, and must be a text or a number: join a list: join(rcpts, ", ")`},
		{`{{}}`, `1:3: the expression ends too soon: write what is missing, or take out what stands last`},
	}
	for _, tt := range tests {
		_, err := when.Template(tt.source, names)
		var e *when.Error
		if !errors.As(err, &e) || strings.TrimPrefix(err.Error(), "milter: expression, ") != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.source, err, tt.want)
		}
	}
}

func TestTemplateFails(t *testing.T) {
	text := template(t, `{{ headers("X")[3] }}`)
	h := text.Around(handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
		_, err := text.Reply(s)
		if !errors.As(err, new(*when.EvalError)) {
			t.Errorf("failed with %v", err)
		}
		return handlers.Continue
	}))
	play(t, h, mail("<a@x>"), theEnd)
}

// Two texts around a handler with an expression before it do not disturb each other.
func TestTemplatesTogether(t *testing.T) {
	one, two := template(t, `{{rcpt_count}} {{sender}}`), template(t, `{{size}} {{rcpt_count}}`)
	var got []string
	h := one.Around(two.Around(guard(t, `rcpt_count > 0 && size > 3`, handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
		a, _ := one.Header(s)
		b, _ := two.Header(s)
		got = append(got, a+"; "+b)
		return handlers.Continue
	}))))
	if n := one.Needs(); n.Stage != to || n.Wants.Events != handlers.Of(to) {
		t.Errorf("needs %+v", n)
	}
	refuse := handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
		if c.Mailbox().EqualFold("no@y") {
			return handlers.Reject
		}
		return handlers.Continue
	})
	s := handlertest.New(t, handlers.Chain(h, refuse))
	s.Send(handlertest.Mail{From: "<a@x>", To: []string{"<b@y>", "<no@y>", "<c@y>"}, Body: "01234\r\n"})
	s.Send(handlertest.Mail{From: "<b@x>", To: []string{"<b@y>"}})
	s.Send(handlertest.Mail{From: "<c@x>", To: []string{"<b@y>"}, Body: "0123\r\n"})
	if want := []string{"2 a@x; 7 2", "1 c@x; 6 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
