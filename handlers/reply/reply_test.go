package reply_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/reply"
	"millstream/handlers/when"
	"millstream/protocol"
)

// built returns the handler of a configuration, with its texts around it.
func built(c reply.Config) (handlers.Handler, error) {
	g := when.NewGroup(nil)
	h, err := reply.New(c, func(source string) (reply.Text, error) { return g.Template(source) })
	if err != nil {
		return nil, err
	}
	return g.Around(h), nil
}

// stages are the stages with the command that each answers.
var stages = []struct {
	name string
	kind handlers.Kind
}{
	{"connect", handlers.KindConnect},
	{"helo", handlers.KindHelo},
	{"mail", handlers.KindEnvelopeFrom},
	{"rcpt", handlers.KindEnvelopeRecipient},
	{"data", handlers.KindData},
	{"header", handlers.KindHeader},
	{"eoh", handlers.KindEndOfHeader},
	{"eom", handlers.KindEndOfMessage},
}

// at brings a session to a stage and returns the answer there.
func at(s *handlertest.Session, kind handlers.Kind) handlertest.Outcome {
	for _, ev := range []handlers.Event{
		&protocol.Connect{Host: protocol.View("mx")}, &protocol.Helo{Name: protocol.View("mx")},
		&protocol.MailFrom{Addr: protocol.View("<a@b>")}, &protocol.RcptTo{Addr: protocol.View("<c@d>")},
		&protocol.Data{}, &protocol.Header{Name: protocol.View("A"), Value: protocol.View("b")}, &protocol.EndOfHeader{},
	} {
		out := s.Do(ev)
		if handlers.KindOf(ev) == kind {
			return out
		}
	}
	return s.EndOfMessage()
}

// TestReply gives every verdict at every stage: either it is a mistake, or it is what the
// MTA gets, and nothing else is asked of the MTA.
func TestReply(t *testing.T) {
	verdicts := map[string]protocol.Status{
		"continue": protocol.StatusContinue, "accept": protocol.StatusAccept, "reject": protocol.StatusReject,
		"tempfail": protocol.StatusTempFail, "discard": protocol.StatusDiscard, "quarantine": protocol.StatusContinue,
	}
	for _, stage := range stages {
		for verdict, want := range verdicts {
			c := reply.Config{Stage: stage.name, Verdict: verdict}
			none := verdict == "discard" && (stage.name == "connect" || stage.name == "helo") || verdict == "quarantine" && stage.name != "eom"
			wrong := 0
			c.Check(func(string, string) { wrong++ })
			h, err := built(c)
			if (err != nil) != none || (wrong > 0) != none {
				t.Errorf("%s %s: %d mistakes, %v", stage.name, verdict, wrong, err)
			}
			if err != nil {
				continue
			}
			if kinds := handlers.Of(stage.kind); h.Wants() != (handlers.Wants{Events: kinds, Replies: kinds}) {
				t.Errorf("%s: wants %v", stage.name, h.Wants())
			}
			s := handlertest.New(t, h)
			if out := at(s, stage.kind); out.Status != want || out.Text != "" {
				t.Errorf("%s %s: %v %q %v", stage.name, verdict, out.Status, out.Text, s.Failures())
			}
		}
	}
}

// TestText checks what the client is told.
func TestText(t *testing.T) {
	tests := []struct {
		c    reply.Config
		want string
	}{
		{reply.Config{Verdict: "reject", Text: "no"}, "550 no"},
		{reply.Config{Verdict: "tempfail", Enhanced: "4.7.1"}, "451 4.7.1 "},
		{reply.Config{Verdict: "reject", Code: 554, Enhanced: "5.7.1", Text: "not\nhere\n"}, "554-5.7.1 not\r\n554 5.7.1 here"},
		{reply.Config{Verdict: "reject", Text: "{{sender}}: no\n{{helo}}"}, "550-a@b: no\r\n550 mx"},
	}
	for _, tt := range tests {
		tt.c.Stage = "mail"
		h, err := built(tt.c)
		if err != nil {
			t.Fatal(err)
		}
		if out := at(handlertest.New(t, h), handlers.KindEnvelopeFrom); strings.TrimSpace(out.Text) != strings.TrimSpace(tt.want) {
			t.Errorf("%q, want %q", out.Text, tt.want)
		}
	}
	h, err := built(reply.Config{Stage: "eom", Verdict: "quarantine", Text: "why {{sender}}"})
	if err != nil {
		t.Fatal(err)
	}
	s := handlertest.New(t, h)
	at(s, handlers.KindEndOfMessage)
	if r := s.Results()[0]; !r.Quarantined || r.QuarantineReason != "why a@b" {
		t.Errorf("%v %q", r.Quarantined, r.QuarantineReason)
	}
}

// TestLongLine checks that a line that has become too long is cut.
func TestLongLine(t *testing.T) {
	h, err := built(reply.Config{Stage: "mail", Verdict: "reject", Text: "{{now}}" + strings.Repeat("x", 970)})
	if err != nil {
		t.Fatal(err)
	}
	s := handlertest.New(t, h)
	out := at(s, handlers.KindEnvelopeFrom)
	if len(out.Text) != len("550 5.0.0 ")+980 || len(s.Failures()) > 0 {
		t.Errorf("%d bytes: %v", len(out.Text), s.Failures())
	}
}

// TestCheck has every mistake there is beside those of verdict and stage.
func TestCheck(t *testing.T) {
	tests := []struct {
		c    reply.Config
		want string
	}{
		{reply.Config{Verdict: "reject", Code: 451}, "code: 451 is no code for verdict = \"reject\": write 5xx"},
		{reply.Config{Verdict: "tempfail", Code: 550}, "code: 550 is no code"},
		{reply.Config{Verdict: "reject", Enhanced: "4.7.1"}, "enhanced: \"4.7.1\" is no enhanced code for 550"},
		{reply.Config{Verdict: "reject", Text: "a\rb"}, "text: "},
		{reply.Config{Verdict: "accept", Code: 550}, "code: verdict = \"accept\" has none"},
		{reply.Config{Verdict: "discard", Enhanced: "5.7.1"}, "enhanced: verdict = \"discard\" has none"},
		{reply.Config{Verdict: "continue", Text: "x"}, "text: verdict = \"continue\" has none"},
		{reply.Config{Verdict: "quarantine", Text: "a\nb"}, "text: the reason"},
	}
	for _, tt := range tests {
		tt.c.Stage = "eom"
		handlertest.Wrong(t, tt.c.Check, tt.want)
		if _, err := built(tt.c); err == nil {
			t.Errorf("%q: it was built", tt.want)
		}
	}
}

// TestFailing checks that a text that cannot be worked out is a failure, and one that
// cannot be compiled an error.
func TestFailing(t *testing.T) {
	for _, verdict := range []string{"reject", "quarantine"} {
		h, err := built(reply.Config{Stage: "eom", Verdict: verdict, Text: "{{rcpts[7]}}"})
		if err != nil {
			t.Fatal(err)
		}
		s := handlertest.New(t, h)
		if out := at(s, handlers.KindEndOfMessage); out.Status != protocol.StatusTempFail || len(s.Failures()) != 1 {
			t.Errorf("%s: %v, %v", verdict, out.Status, s.Failures())
		}
		if _, err := built(reply.Config{Stage: "eom", Verdict: verdict, Text: "{{rcpts"}); err == nil {
			t.Errorf("%s: it was built", verdict)
		}
	}
}

// TestTexts checks that each line is told with its place.
func TestTexts(t *testing.T) {
	c := reply.Config{Text: "a\n{{helo}}\nb\n"}
	var got []string
	c.Texts(func(key string, at int, text string) { got = append(got, fmt.Sprintf("%s %d %q", key, at, text)) })
	if want := []string{`text 0 "a"`, `text 2 "{{helo}}"`, `text 11 "b"`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
