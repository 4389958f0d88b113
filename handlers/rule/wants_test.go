package rule_test

import (
	"testing"

	"millstream/handlers"
)

// The MTA is asked for what the rules use, and waits only where there may be an answer.
func TestWants(t *testing.T) {
	const (
		connect = handlers.KindConnect
		mail    = handlers.KindEnvelopeFrom
		rcpt    = handlers.KindEnvelopeRecipient
		header  = handlers.KindHeader
		end     = handlers.KindEndOfMessage
	)
	of := handlers.Of
	for i, tt := range []struct {
		rules           rules
		events, replies handlers.Kinds
	}{
		{rules{{When: `in_network("trusted")`, Action: "reject"}}, of(connect, end), of(connect, end)},
		{rules{{When: `in_network("trusted")`, AddHeaders: []string{"X: y"}}}, of(connect, end), of(end)},
		{rules{{When: `sender == "a"`, Subject: "x"}}, of(mail, header, end), of(end)},
		{rules{{When: `sender == "a"`, Action: "discard"}}, of(mail, end), of(mail, end)},
		{rules{{When: `rcpt == "a"`, Action: "reject"}}, of(mail, rcpt, end), of(rcpt, end)},
		{rules{{When: `rcpt == "a"`, Action: "discard"}}, of(mail, rcpt, end), of(end)},
		{rules{{DeleteRecipients: []string{"a@x"}}}, of(rcpt, end), of(end)},
		{rules{{When: `header("X") == ""`, Action: "reject"}}, of(mail, header, handlers.KindEndOfHeader, end), of(handlers.KindEndOfHeader, end)},
	} {
		got := filter(t, tt.rules...).Wants()
		if got.Events&^of(handlers.KindResponse) != tt.events || got.Replies != tt.replies {
			t.Errorf("%d: wants %v, want %v and %v", i, got, tt.events, tt.replies)
		}
	}
}
