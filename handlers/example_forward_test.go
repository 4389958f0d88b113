package handlers_test

import (
	"errors"
	"fmt"
	"strings"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// Forward sends mail for old addresses to new ones, and asks for no bounces.
func Forward(moved map[string]string) handlers.Handler {
	return handlers.Chain(
		handlers.Go(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
			for _, old := range s.Result().Recipients {
				to, ok := moved[strings.Trim(old, "<>")]
				if !ok {
					continue
				}
				m.DeleteRecipient(old)
				if m.Can(protocol.ActionAddRecipientWithParams) {
					m.AddRecipient("<"+to+">", "NOTIFY=NEVER")
				} else {
					m.AddRecipient("<" + to + ">")
				}
			}
			if m.Can(protocol.ActionChangeFrom) {
				m.ChangeFrom("<bounces@example.org>", "RET=HDRS")
			}
			return handlers.Continue
		}),
		handlers.Need(handlers.KindEnvelopeRecipient), // for Result
	)
}

// Recipients are rewritten, with ESMTP parameters where the MTA takes them. Where it
// takes no changes at all, the message is not taken either.
func ExampleMessage() {
	filter := Forward(map[string]string{"old@example.net": "new@example.net"})
	letter := handlertest.Mail{From: "<a@example.com>", To: []string{"<old@example.net>", "<b@example.net>"}}
	show(handlertest.New(t, filter).Send(letter))

	s := handlertest.New(t, filter)
	s.Control().Update(func(f *handlers.Facts) {
		f.Options.Actions = protocol.ActionAddRecipient | protocol.ActionDeleteRecipient
	})
	show(s.Send(letter))

	s = handlertest.New(t, filter)
	s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddHeaders })
	show(s.Send(letter))
	for _, err := range s.Failures() {
		fmt.Println(err, errors.Is(err, protocol.ErrInvalidAction))
	}
	// Output:
	// end-of-message: continue
	//   delete-recipient <old@example.net>
	//   add-recipient-params <new@example.net> NOTIFY=NEVER
	//   change-from <bounces@example.org> RET=HDRS
	// end-of-message: continue
	//   delete-recipient <old@example.net>
	//   add-recipient <new@example.net>
	// end-of-message: tempfail
	// milter: action not agreed on: delete-recipient needs delete-recipient true
}
