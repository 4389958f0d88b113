package ratelimit_test

import (
	"context"
	"net/netip"
	"testing"

	"millstream/handlers"
	"millstream/handlers/ratelimit"
	"millstream/protocol"
)

// decision returns a filter of one limit that is not reached, and a session for it.
func decision(tb testing.TB, key string) (handlers.Handler, *handlers.Session) {
	tb.Helper()
	h, _ := filter(tb, limits(ratelimit.Limit{Key: []string{key}, Limit: 1 << 40}), open(tb), nil)
	control := handlers.NewControl(context.Background(), handlers.Facts{
		Host: "mail.sender.example", Client: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.77")},
	}, nil)
	return h, control.Begin(context.Background())
}

var benchMail = &protocol.MailFrom{Addr: protocol.View("<Someone@sender.example>")}

// A decision allocates its key, and no more.
func TestAllocs(t *testing.T) {
	for _, key := range []string{"client_network", "sender", "sender_domain"} {
		h, s := decision(t, key)
		if n := testing.AllocsPerRun(100, func() { h.Handle(s, benchMail) }); n > 1 {
			t.Errorf("%s: %v allocations", key, n)
		}
	}
}

// BenchmarkDecision tells what one decision costs, with a store in memory.
func BenchmarkDecision(b *testing.B) {
	for _, key := range []string{"client_network", "sender", "{{sender}}"} {
		b.Run(key, func(b *testing.B) {
			h, s := decision(b, key)
			b.ReportAllocs()
			for b.Loop() {
				if r := h.Handle(s, benchMail); r.Status() != protocol.StatusContinue {
					b.Fatal(r)
				}
			}
		})
	}
}
