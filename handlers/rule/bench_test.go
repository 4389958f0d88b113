package rule_test

import (
	"fmt"
	"testing"

	"millstream/handlers"
	"millstream/handlers/rule"
	"millstream/protocol"
)

// A client that no rule holds for costs no allocation.
func TestAllocs(t *testing.T) {
	h := filter(t, rule.Rule{When: `in_network("10.0.0.0/8")`, Action: "reject"}, rule.Rule{When: `client_name == "x"`, Action: "tempfail"})
	s := handlers.NewControl(t.Context(), handlers.Facts{Client: from("192.0.2.77").Addr}, nil).Begin(t.Context())
	var ev handlers.Event = &protocol.Connect{}
	if n := testing.AllocsPerRun(100, func() { _ = h.Handle(s, ev) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkRules tells what ten rules cost that do not hold: those about a client when it
// connects, and others in a message of one recipient.
func BenchmarkRules(b *testing.B) {
	client, message := rules{}, rules{}
	for i := range 10 {
		client = append(client, rule.Rule{When: fmt.Sprintf(`in_network("10.%d.0.0/16") || client_name endsWith ".bad%d.example"`, i, i), Action: "reject"})
	}
	for i := range 5 {
		message = append(message,
			rule.Rule{When: fmt.Sprintf(`sender_domain == "bad%d.example"`, i), Action: "reject"},
			rule.Rule{When: fmt.Sprintf(`rcpt == "trap%d@example.com"`, i), Subject: "[trap]"},
		)
	}
	facts := handlers.Facts{Host: "mail.sender.example", Client: from("192.0.2.77").Addr}
	for name, list := range map[string]rules{"client": client, "message": message} {
		h := filter(b, list...)
		control := handlers.NewControl(b.Context(), facts, nil)
		s := control.Begin(b.Context())
		msg := control.Message(nil, nil, nil)
		steps := events{from("192.0.2.77")}
		if name == "message" {
			steps = events{mail("<someone@sender.example>"), rcpt("<somebody@receiver.example>"), msg}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, ev := range steps {
					if r := h.Handle(s, ev); !r.Status().IsPass() {
						b.Fatal(r)
					}
				}
				if name == "message" {
					s.Shelf().Clear()
				}
			}
		})
	}
}
