package handlers_test

import (
	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// Blocklist refuses senders, at once and on the event loop.
func Blocklist(bad map[string]bool) handlers.Handler {
	return handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
		if bad[string(c.Mailbox())] {
			return handlers.Reject.With(550, "5.7.1",
				"You are not welcome here.",
				"Write to postmaster if you think that you should be.")
		}
		return handlers.Continue
	})
}

// Senders on a list are refused, with a text of two lines.
func Example_blocklist() {
	s := handlertest.New(t, Blocklist(map[string]bool{"spam@example.com": true}))
	show(s.Do(&protocol.MailFrom{Addr: protocol.View("<spam@example.com>")}))
	show(s.Do(&protocol.MailFrom{Addr: protocol.View("<friend@example.com>")}))
	// Output:
	// envelope-from: reject, "550-5.7.1 You are not welcome here.\r\n550 5.7.1 Write to postmaster if you think that you should be."
	// envelope-from: continue
}
