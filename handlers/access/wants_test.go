package access_test

import (
	"testing"

	"millstream/handlers"
	"millstream/handlers/access"
)

// The MTA is asked for what the rules are about and no more, and waits for an answer
// only where there may be one.
func TestWants(t *testing.T) {
	const (
		connect = handlers.KindConnect
		helo    = handlers.KindHelo
		mail    = handlers.KindEnvelopeFrom
		rcpt    = handlers.KindEnvelopeRecipient
		end     = handlers.KindEndOfMessage
	)
	of := handlers.Of
	tests := []struct {
		subjects        []string
		events, replies handlers.Kinds
	}{
		{[]string{"client"}, of(connect, end), of(connect, end)},
		{[]string{"client_name"}, of(connect, end), of(connect, end)},
		{[]string{"helo"}, of(helo, end), of(helo, end)},
		{[]string{"helo", "client"}, of(connect, helo, end), of(helo, end)},
		{[]string{"client", "helo"}, of(connect, helo, end), of(connect, helo, end)},
		{[]string{"sender"}, of(mail, end), of(mail, end)},
		{[]string{"sender", "client", "helo"}, of(connect, helo, mail, end), of(mail, end)},
		{[]string{"recipient"}, of(rcpt, end), of(rcpt, end)},
		{[]string{"recipient_domain", "sender_domain", "client"}, of(connect, mail, rcpt, end), of(rcpt, end)},
		{[]string{"client", "sender", "recipient"}, of(connect, mail, rcpt, end), of(connect, mail, rcpt, end)},
	}
	for _, tt := range tests {
		var rules []access.Rule
		for _, s := range tt.subjects {
			entry := "192.0.2.1"
			if s != "client" {
				entry = "example.com"
			}
			rules = append(rules, access.Rule{LookUp: s, Entries: []string{entry}, Action: "reject"})
		}
		if w := filter(t, rules...).Wants(); w.Events != tt.events || w.Replies != tt.replies {
			t.Errorf("%v: events %b, replies %b, want %b, %b", tt.subjects, w.Events, w.Replies, tt.events, tt.replies)
		}
	}
}
