package when_test

import (
	"fmt"
	"net/netip"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

// t stands for that of a test.
var t = new(testing.T)

// Strangers are not to write in the name of the house.
func ExampleHandler() {
	names := &when.Names{Networks: map[string]when.Network{"office": when.Prefixes(netip.MustParsePrefix("192.0.2.0/24"))}}
	p, err := when.Compile(`sender_domain == "example.com" && !authenticated && !in_network("office")`, names)
	if err != nil {
		fmt.Println(err)
		return
	}
	filter, err := when.Handler(p, handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
		return handlers.Reject.With(550, "5.7.1", "please log in")
	}))
	if err != nil {
		fmt.Println(err)
		return
	}

	s := handlertest.New(t, filter)
	s.Do(connect("198.51.100.7"))
	fmt.Println(s.Do(mail("<boss@Example.com>")).Text)
	fmt.Println(s.Do(mail("<somebody@example.org>")).Status)
	// Output:
	// 550 5.7.1 please log in
	// continue
}

// An expression that is wrong says where, and what may be meant.
func ExampleCompile() {
	_, err := when.Compile(`recpt_count > 50`, nil)
	fmt.Println(err)
	// Output:
	// milter: expression, 1:1: unknown name "recpt_count": did you mean rcpt_count?
}

// A text is compiled once, and worked out for each message.
func ExampleTemplate() {
	text, err := when.Template(`{{sender}} via {{client_addr}}`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	filter := text.Around(handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
		value, err := text.Header(s)
		if err != nil {
			return handlers.Failed(err)
		}
		m.AddHeader("X-Came", value)
		return handlers.Continue
	}))

	s := handlertest.New(t, filter)
	s.Do(connect("192.0.2.7"))
	for _, change := range s.Send(handlertest.Mail{From: "<a@example.com>"}).Changes {
		fmt.Printf("%v %s: %s\n", change.Code, change.Name, change.Value)
	}
	// Output:
	// add-header X-Came: a@example.com via 192.0.2.7
}
