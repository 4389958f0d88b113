package actors

import (
	"errors"
	"testing"
	"testing/synctest"

	"millstream/handlers"
	"millstream/protocol"
)

// offer is what Postfix and Sendmail offer.
var offer = protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}

// packets returns the packets of commands.
func packets(cmds ...protocol.Command) (b []byte) {
	for _, c := range cmds {
		b = c.Append(b)
	}
	return b
}

// answers decodes what a session has written.
func answers(t *testing.T, b []byte) (list []protocol.Answer) {
	t.Helper()
	for len(b) > 0 {
		code, body, n, err := protocol.Frame(b, 1<<20)
		if err != nil || n == 0 {
			t.Fatalf("output %q: %v", b, err)
		}
		a, err := protocol.DecodeAnswer(code, body)
		if err != nil {
			t.Fatalf("answer %v: %v", code, err)
		}
		list = append(list, a.Clone())
		b = b[n:]
	}
	return list
}

func codesOf(list []protocol.Answer) (s string) {
	for _, a := range list {
		s += string(rune(a.Code))
	}
	return s
}

func TestOfflineMessage(t *testing.T) {
	for name, verb := range map[string]func(func(*handlers.Session, *handlers.Message) handlers.Reply) handlers.Handler{
		"on": handlers.On[*handlers.Message], "go": handlers.Go[*handlers.Message],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var results []*handlers.Result
				h := handlers.Chain(
					handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Continue }),
					handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Continue }),
					verb(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
						m.AddHeader("X-Queue", s.Macro("i"))
						return handlers.Accept
					}),
					handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { results = append(results, r) }),
				)
				o, err := NewOffline(Config{}, handlers.Shared(h))
				if err != nil {
					t.Fatal(err)
				}
				feed := func(cmds ...protocol.Command) string {
					t.Helper()
					if err := o.Feed(packets(cmds...)); err != nil {
						t.Errorf("feed: %v", err)
					}
					o.Wait()
					return codesOf(answers(t, o.Output()))
				}
				if got := feed(&protocol.Negotiate{Offer: offer}); got != "O" {
					t.Fatalf("negotiation: %q", got)
				}
				got := feed(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")},
					&protocol.RcptTo{Addr: protocol.View("<b@example.net>")},
					&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hi")},
					protocol.NewMacro(protocol.CodeEndOfMessage, "i", "Q1"),
					&protocol.EndOfMessage{})
				if got != "ccha" { // MAIL is not answered
					t.Errorf("answers %q", got)
				}
				if len(results) != 1 || results[0].From != "<a@example.com>" || results[0].Headers[0].Value != "hi" ||
					results[0].AddedHeaders[0].Value != "Q1" || results[0].Status != protocol.StatusAccept {
					t.Errorf("results %+v", results[0])
				}
				feed(&protocol.Quit{})
				if err := o.Feed(nil); !errors.Is(err, handlers.ErrSessionClosed) {
					t.Errorf("after quit: %v", err)
				}
			})
		})
	}
}
