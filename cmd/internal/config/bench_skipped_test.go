package config

import (
	"context"
	"net/netip"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// conditions are expressions that do not hold for a session of [newSkipped].
var conditions = []struct{ name, when string }{
	{"network", `in_network("inside")`},
	{"name", `client_name endsWith ".example.net" || client_name == "localhost"`},
	{"sender", `sender_domain == "example.net"`},
	{"user", `authenticated && tls`},
}

// newSkipped returns the handler of a file with one whose condition does not hold, and a
// session in a message for which that is known.
func newSkipped(tb testing.TB, condition string) (handlers.Handler, *handlers.Session) {
	tb.Helper()
	g, _ := serving(tb, fileOf(0)+"[[handler]]\ntype = \"reply\"\nstage = \"rcpt\"\nverdict = \"reject\"\nwhen = '"+condition+"'\n")
	s := handlers.NewControl(context.Background(), handlers.Facts{
		Host: "mx.example", Helo: "mx.example", Macros: new(protocol.Macros),
		Client: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("198.51.100.7"), Port: 25},
	}, nil).Begin(context.Background())
	g.Handler.Handle(s, &protocol.MailFrom{Addr: protocol.View("<alice@example.com>")})
	return g.Handler, s
}

// skippedEvent is one that the handler of newSkipped would refuse.
var skippedEvent = &protocol.RcptTo{Addr: protocol.View("<bob@example.net>")}

// TestSkippedAllocs checks that a handler whose condition does not hold costs no memory.
func TestSkippedAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted")
	}
	for _, tt := range conditions {
		h, s := newSkipped(t, tt.when)
		n := testing.AllocsPerRun(100, func() {
			if r := h.Handle(s, skippedEvent); r.Status() != protocol.StatusDefault {
				t.Fatalf("%s: answered %v", tt.when, r.Status())
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for an event", tt.when, n)
		}
	}
}

// BenchmarkSkippedEvent is what an event costs at a handler whose condition does not hold.
func BenchmarkSkippedEvent(b *testing.B) {
	for _, tt := range conditions {
		b.Run(tt.name, func(b *testing.B) {
			h, s := newSkipped(b, tt.when)
			b.ReportAllocs()
			for b.Loop() {
				h.Handle(s, skippedEvent)
			}
		})
	}
}
