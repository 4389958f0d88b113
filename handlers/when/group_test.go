package when_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

// What the expressions and texts of a group use is gathered for them, and each tells
// what it needs itself.
func TestGroup(t *testing.T) {
	g := when.NewGroup(names)
	program := func(source string) *when.Program {
		t.Helper()
		p, err := g.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	trusted, sender := program(`in_network("trusted")`), program(`sender == "a@x"`)
	to, subject, size := program(`rcpt endsWith "@y"`), program(`header("Subject") == "hello"`), program(`size > 3 && rcpt_count == 1`)
	text, err := g.Template(`{{header("Subject")}} to {{rcpt_count}}`)
	if err != nil {
		t.Fatal(err)
	}
	if n := sender.Needs(); n.Stage != handlers.KindEnvelopeFrom || n.Wants.Events != 0 || n.Each {
		t.Errorf("of one %+v", n)
	}
	if n := text.Needs(); n.Stage != handlers.KindEndOfHeader || n.Wants.Events != handlers.Of(handlers.KindEnvelopeRecipient, handlers.KindHeader) {
		t.Errorf("of the text %+v", n)
	}
	all := handlers.Of(handlers.KindConnect, handlers.KindEnvelopeRecipient, handlers.KindHeader, handlers.KindBody)
	if n := g.Needs(); n.Stage != handlers.KindEndOfMessage || n.Wants.Events != all || !n.Each {
		t.Errorf("of all %+v", n)
	}
	var got []string
	ask := func(s *handlers.Session, p *when.Program) {
		holds, err := p.Holds(s)
		got = append(got, fmt.Sprint(p, " ", holds))
		if err != nil {
			t.Error(err)
		}
	}
	h := g.Around(handlers.Chain(
		handlers.On(func(s *handlers.Session, _ *protocol.RcptTo) handlers.Reply {
			ask(s, to)
			return handlers.Continue
		}),
		handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
			for _, p := range []*when.Program{trusted, sender, subject, size} {
				ask(s, p)
			}
			words, err := text.Header(s)
			got = append(got, fmt.Sprint(words, err))
			return handlers.Continue
		}),
	))
	play(t, h, connect("192.0.2.1"), mail("<a@x>"), rcpt("<b@z>"), rcpt("<b@y>"), header("Subject", "hello"),
		&protocol.Body{Chunk: view("1234")}, theEnd, mail("<b@x>"), rcpt("<b@y>"), &protocol.Body{Chunk: view("1234")}, theEnd)
	want := []string{
		to.String() + " false", to.String() + " true",
		trusted.String() + " true", sender.String() + " true", subject.String() + " true", size.String() + " false", "hello to 2<nil>",
		to.String() + " true",
		trusted.String() + " true", sender.String() + " false", subject.String() + " false", size.String() + " true", " to 1<nil>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// A group that gathers nothing keeps nothing of a message.
func TestGroupOfClient(t *testing.T) {
	g := when.NewGroup(names)
	p, err := g.Compile(`in_network("trusted") && stage == "end-of-message"`)
	if err != nil {
		t.Fatal(err)
	}
	h := g.Around(handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
		if holds, err := p.Holds(s); !holds || err != nil {
			t.Error(holds, err)
		}
		for key := range s.Shelf().All() {
			t.Errorf("on the shelf: %s", key)
		}
		return handlers.Continue
	}))
	play(t, h, connect("192.0.2.1"), mail("<a@x>"), theEnd)
}

func TestGroupFails(t *testing.T) {
	g := when.NewGroup(nil)
	if _, err := g.Compile(`in_network("trusted")`); !errors.As(err, new(*when.Error)) {
		t.Errorf("compiled: %v", err)
	}
	p, err := g.Compile(`headers("X")[3] == "a"`)
	if err != nil {
		t.Fatal(err)
	}
	h := g.Around(handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
		_, err := p.Holds(s)
		return handlers.Failed(err)
	}))
	s := handlertest.New(t, h)
	s.Send(handlertest.Mail{From: "<a@x>"})
	if list := s.Failures(); len(list) != 1 || !errors.As(list[0], new(*when.EvalError)) {
		t.Errorf("failures %v", list)
	}
}

// Open names need not be there; what cannot be a name is wrong all the same.
func TestOpenNames(t *testing.T) {
	open := &when.Names{Open: true}
	for _, source := range []string{`in_network("trusted")`, `in_list("vip", sender)`, `result("spamcheck").verdict == "spam"`, `!in_network("192.0.2.0/24")`} {
		if _, err := when.Compile(source, open); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
	for _, source := range []string{`in_network(1)`, `result("x").word == ""`, `sendr == ""`} {
		if _, err := when.Compile(source, open); err == nil {
			t.Errorf("%s compiled", source)
		}
	}
}
