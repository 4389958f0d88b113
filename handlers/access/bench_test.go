package access_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/access"
	"millstream/protocol"
)

// lookups returns the filter of five rules over lists of count entries, and a session
// whose client is in none of them.
func lookups(tb testing.TB, count int) (handlers.Handler, *handlers.Session) {
	tb.Helper()
	lines := func(format string, args func(i int) []any) []string {
		list := make([]string, count)
		for i := range list {
			list[i] = fmt.Sprintf(format, args(i)...)
		}
		return list
	}
	networks := write(tb, lines("10.%d.%d.%d REJECT not you", func(i int) []any { return []any{i >> 16 & 255, i >> 8 & 255, i & 255} })...)
	names := write(tb, lines("host%d.example.com", func(i int) []any { return []any{i} })...)
	addresses := write(tb, lines("user%d@example.org REJECT not you", func(i int) []any { return []any{i} })...)
	h := filter(tb,
		access.Rule{LookUp: "client", Files: []string{networks}, Action: "reject"},
		access.Rule{LookUp: "client_name", Files: []string{names}, Action: "reject"},
		access.Rule{LookUp: "helo", Files: []string{names}, Action: "reject"},
		access.Rule{LookUp: "sender", Files: []string{addresses}, Action: "reject"},
		access.Rule{LookUp: "recipient", Files: []string{addresses}, Action: "reject"},
	)
	ip := netip.MustParseAddr("192.0.2.77")
	control := handlers.NewControl(tb.Context(), handlers.Facts{
		Host: "mail.sender.example", Client: protocol.Addr{Family: protocol.FamilyInet, IP: ip}, Helo: "mail.sender.example",
	}, nil)
	return h, control.Begin(tb.Context())
}

var (
	benchConnect = &protocol.Connect{Host: protocol.View("mail.sender.example")}
	benchMail    = &protocol.MailFrom{Addr: protocol.View("<someone@sender.example>")}
	benchRcpt    = &protocol.RcptTo{Addr: protocol.View("<somebody@receiver.example>")}
)

// What is in no list costs no allocation.
func TestAllocs(t *testing.T) {
	h, s := lookups(t, 100)
	n := testing.AllocsPerRun(100, func() {
		_, _, _ = h.Handle(s, benchConnect), h.Handle(s, benchMail), h.Handle(s, benchRcpt)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkFilter tells what a step costs of a client that is in none of the lists, of a
// million entries each. At a recipient all five rules are asked.
func BenchmarkFilter(b *testing.B) {
	h, s := lookups(b, 1_000_000)
	for _, ev := range []handlers.Event{benchConnect, benchMail, benchRcpt} {
		b.Run(strings.TrimPrefix(fmt.Sprintf("%T", ev), "*protocol."), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := h.Handle(s, ev); r.Status() != protocol.StatusContinue {
					b.Fatal(r)
				}
			}
		})
	}
}
