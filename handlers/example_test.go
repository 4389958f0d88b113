package handlers_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// t stands for the *testing.T that a test has, and an example has not.
var t = example{}

type example struct{ testing.TB }

func (example) Helper()        {}
func (example) Cleanup(func()) {}

func (example) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// show prints what an event came to.
func show(out handlertest.Outcome) {
	if out.Text != "" {
		fmt.Printf("%v: %v, %q\n", out.Event, out.Status, out.Text)
	} else {
		fmt.Printf("%v: %v\n", out.Event, out.Status)
	}
	for _, c := range out.Changes {
		switch c.Code {
		case protocol.CodeInsertHeader, protocol.CodeChangeHeader:
			fmt.Printf("  %v %d %s: %s\n", c.Code, c.Index, c.Name, c.Value)
		case protocol.CodeAddHeader:
			fmt.Printf("  %v %s: %s\n", c.Code, c.Name, c.Value)
		case protocol.CodeReplaceBody:
			fmt.Printf("  %v %q\n", c.Code, c.Value)
		default:
			fmt.Println(strings.TrimRight(fmt.Sprintf("  %v %s %s", c.Code, c.Name, c.Value), " "))
		}
	}
}

// logger writes lines without the time.
func logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "took" {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// A whole filter: it refuses senders from a list, counts the headers, and leaves a
// note in each message that passes.
func Example() {
	blocked := map[string]bool{"spam@example.com": true}
	newFilter := func(*handlers.Session) handlers.Handler {
		headers := 0
		return handlers.Chain(
			handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
				headers = 0
				if blocked[c.Mailbox().String()] {
					return handlers.Reject.With(550, "5.7.1", "you are not welcome here")
				}
				return handlers.Continue
			}),
			handlers.Observe(func(*handlers.Session, *protocol.Header) { headers++ }),
			handlers.Go(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
				m.AddHeader("X-Filtered", fmt.Sprintf("%s, %d headers", s.Macro("i"), headers))
				return handlers.Accept
			}),
		)
	}

	s := handlertest.NewFactory(t, newFilter)
	show(s.Send(handlertest.Mail{From: "<spam@example.com>"}))
	s.Macros(protocol.CodeMailFrom, "i", "4F1bN71jzQ")
	show(s.Send(handlertest.Mail{
		From: "<friend@example.com>",
		Headers: []handlers.Field{
			{Name: "Subject", Value: "hello"},
			{Name: "To", Value: "you@example.net"},
		},
	}))
	// Output:
	// envelope-from: reject, "550 5.7.1 you are not welcome here"
	// end-of-message: accept
	//   add-header X-Filtered: 4F1bN71jzQ, 2 headers
}
