package handlertest_test

import (
	"fmt"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// t stands for the *testing.T that a test has, and an example has not.
var t = example{}

type example struct{ testing.TB }

func (example) Helper()                           {}
func (example) Cleanup(func())                    {}
func (example) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// A filter is told of commands, and a test looks at its answers.
func Example() {
	filter := handlers.Chain(
		handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
			if c.Mailbox().EqualFold("nobody@example.net") {
				return handlers.Reject.With(550, "5.1.1", "no such user")
			}
			return handlers.Continue
		}),
		handlers.Go(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Queue", s.Macro("i"))
			return handlers.Accept
		}),
	)

	s := handlertest.New(t, filter)
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")})
	out := s.Do(&protocol.RcptTo{Addr: protocol.View("<nobody@example.net>")})
	fmt.Println(out.Event, out.Status, out.Text)

	s.Do(&protocol.RcptTo{Addr: protocol.View("<b@example.net>")})
	s.Macros(protocol.CodeEndOfMessage, "i", "4F1bN71jzQ")
	out = s.EndOfMessage()
	fmt.Println(out.Event, out.Status)
	for _, c := range out.Changes {
		fmt.Printf("%v %s: %s\n", c.Code, c.Name, c.Value)
	}

	r := s.Results()[0]
	fmt.Println(r.From, r.Recipients, r.Rejected, r.Status)
	// Output:
	// envelope-recipient reject 550 5.1.1 no such user
	// end-of-message accept
	// add-header X-Queue: 4F1bN71jzQ
	// <a@example.com> [<b@example.net>] [<nobody@example.net>] accept
}

// An MTA of the last century can do less than a filter may want.
func ExampleSession_Negotiate() {
	filter := handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		m.Quarantine("suspicious")
		if m.ClearErr() != nil {
			return handlers.Reject // since it cannot be held
		}
		return handlers.Continue
	})

	s := handlertest.New(t, filter)
	agreed, err := s.Negotiate(protocol.Options{Version: 2, Actions: protocol.ActionAddHeaders})
	fmt.Println(agreed.Wire.Version, agreed.Wire.Actions, err)
	fmt.Println(s.Send(handlertest.Mail{From: "<a@example.com>"}).Status)
	// Output:
	// 2 add-headers <nil>
	// reject
}
