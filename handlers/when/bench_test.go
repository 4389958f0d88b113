package when_test

import (
	"context"
	"net/netip"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// newControl returns the control of a session of a client that has logged in.
func newControl() *handlers.Control {
	macros := new(protocol.Macros)
	macros.Set(protocol.CodeConnect, "auth_authen", "alice")
	return handlers.NewControl(context.Background(), handlers.Facts{
		Host: "client.example", Helo: "client.example", Macros: macros,
		Client: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("198.51.100.7"), Port: 25},
	}, nil)
}

// message are the events of a message as a handler sees them.
var message = []handlers.Event{
	mail("<alice@example.com>"), rcpt("<bob@example.net>"), header("Subject", "Hello"), header("From", "alice"),
	&protocol.EndOfHeader{}, chunk, &handlers.Message{},
}

// every is a handler that takes all that a message has.
var every = handlers.Chain(
	pass[*protocol.MailFrom](), pass[*protocol.RcptTo](), pass[*protocol.Header](), pass[*protocol.EndOfHeader](),
	pass[*protocol.Body](), pass[*handlers.Message](),
)

func pass[E handlers.Answered]() handlers.Handler {
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return handlers.Continue })
}

// costs are expressions that do not hold, and how often a message may allocate for each:
// the shelf is two, the record of a message one, a text of the sender or a macro one.
var costs = []struct {
	name, source string
	h            handlers.Handler
	allocs       float64
}{
	{"client", `in_network("192.0.2.0/24") || client_name == "x"`, every, 0},
	{"macro", `!authenticated`, every, 4},
	{"sender", `sender_domain in ["example.net", "example.org"] || sender startsWith "x"`, every, 4},
	{"header", `header("Subject") contains "viagra"`, pass[*handlers.Message](), 6},
	{"engine", `len(sender) + 1 > 100`, every, 5},
}

// A message that a handler is not told of costs little memory, or none.
func TestSkippedAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted")
	}
	for _, tt := range costs {
		h, c := guard(t, tt.source, tt.h), newControl()
		s := c.Begin(context.Background())
		n := testing.AllocsPerRun(100, func() {
			for _, ev := range message {
				if r := h.Handle(s, ev); r.Status() != protocol.StatusDefault && r.Status() != protocol.StatusSkip {
					t.Fatalf("%s: answered %v", tt.source, r.Status())
				}
			}
			c.EndMessage(0)
		})
		if n > tt.allocs {
			t.Errorf("%s: %v allocations for a message, want %v", tt.source, n, tt.allocs)
		}
	}
}

// What it costs not to tell a handler of a message of seven events.
func BenchmarkSkippedMessage(b *testing.B) {
	for _, tt := range costs {
		b.Run(tt.name, func(b *testing.B) {
			h, c := guard(b, tt.source, tt.h), newControl()
			s := c.Begin(context.Background())
			b.ReportAllocs()
			for b.Loop() {
				for _, ev := range message {
					h.Handle(s, ev)
				}
				c.EndMessage(0)
			}
		})
	}
}

// What it costs for each event once the message is decided.
func BenchmarkSkippedEvent(b *testing.B) {
	for _, tt := range costs {
		b.Run(tt.name, func(b *testing.B) {
			h, c := guard(b, tt.source, tt.h), newControl()
			s := c.Begin(context.Background())
			h.Handle(s, message[0])
			b.ReportAllocs()
			for b.Loop() {
				h.Handle(s, message[2])
			}
		})
	}
}
