package handlers_test

import (
	"log/slog"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// A guest is what a filter remembers of one SMTP client. Its functions run one at a
// time, so it needs no lock.
type guest struct {
	known   func(string) bool
	log     *slog.Logger
	refused int
}

// Patience gives up on clients that guess recipients.
func Patience(known func(string) bool, log *slog.Logger) handlers.Factory {
	return func(s *handlers.Session) handlers.Handler {
		g := &guest{known: known, log: log.With("session", s.ID())}
		return handlers.Chain(
			handlers.On(g.recipient),
			handlers.Need(handlers.KindConnect), // for Client
			handlers.Observe(g.finished),
		)
	}
}

func (g *guest) recipient(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
	if g.known(c.Mailbox().String()) {
		return handlers.Continue
	}
	if g.refused++; g.refused > 2 {
		return handlers.TempFail.With(421, "4.7.0", "too many unknown recipients")
	}
	return handlers.Reject.With(550, "5.1.1", "no such user")
}

func (g *guest) finished(s *handlers.Session, _ *handlers.Finished) {
	host, _ := s.Client()
	g.log.Info("client left", "host", host, "refused", g.refused)
}

// State of one connection is what its handler closes over.
func ExampleFactory() {
	s := handlertest.NewFactory(t, Patience(func(user string) bool { return user == "ann@example.net" }, logger()))
	s.Do(&protocol.Connect{Host: protocol.View("client.example")})
	s.Do(mail("<a@example.com>"))
	for _, user := range []string{"<ann@example.net>", "<bob@example.net>", "<cid@example.net>", "<dan@example.net>"} {
		show(s.Do(rcpt(user)))
	}
	s.Close()
	// Output:
	// envelope-recipient: continue
	// envelope-recipient: reject, "550 5.1.1 no such user"
	// envelope-recipient: reject, "550 5.1.1 no such user"
	// envelope-recipient: tempfail, "421 4.7.0 too many unknown recipients"
	// level=INFO msg="client left" session=1 host=client.example refused=3
}
