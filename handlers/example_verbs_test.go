package handlers_test

import (
	"context"
	"fmt"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// scan asks a virus scanner. It takes its time.
func scan(ctx context.Context, _ string) (verdict string, err error) { return "clean", ctx.Err() }

// A function of Go may block: it has a goroutine of its own. The context of its
// session ends when nobody wants the answer any more.
func ExampleGo() {
	filter := handlers.Go(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
		verdict, err := scan(s.Context(), s.Macro("i"))
		if err != nil {
			return handlers.TempFail.With(451, "4.7.0", "scanner not available")
		}
		m.AddHeader("X-Scanned", verdict)
		return handlers.Continue
	})

	s := handlertest.New(t, filter)
	show(s.Send(handlertest.Mail{From: "<a@example.com>"}))
	// Output:
	// end-of-message: continue
	//   add-header X-Scanned: clean
}

// A function of On runs on the event loop, and answers at once.
func ExampleOn() {
	filter := handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
		if c.Mailbox().EqualFold("nobody@example.net") {
			return handlers.Reject.With(550, "5.1.1", "no such user")
		}
		return handlers.Continue
	})

	s := handlertest.New(t, filter)
	s.Do(mail("<a@example.com>"))
	show(s.Do(rcpt("<nobody@example.net>")))
	show(s.Do(rcpt("<someone@example.net>")))
	// Output:
	// envelope-recipient: reject, "550 5.1.1 no such user"
	// envelope-recipient: continue
}

// A function of Observe decides nothing: the MTA sends on without an answer.
func ExampleObserve() {
	bytes := 0
	filter := handlers.Observe(func(_ *handlers.Session, b *protocol.Body) { bytes += len(b.Chunk) })

	s := handlertest.New(t, filter)
	s.Do(mail("<a@example.com>"))
	out := s.Do(body("Hello, world.\r\n"))
	fmt.Println(bytes, "bytes seen,", len(out.Packets), "written")
	// Output:
	// 15 bytes seen, 0 written
}

// The first answer other than Continue is that of the chain.
func ExampleChain() {
	member := func(name string, r handlers.Reply) handlers.Handler {
		return handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
			fmt.Println(name, "is asked")
			return r
		})
	}
	filter := handlers.Chain(
		member("first", handlers.Continue),
		member("second", handlers.TempFail),
		member("third", handlers.Accept),
	)

	s := handlertest.New(t, filter)
	show(s.Do(&protocol.Helo{Name: protocol.View("client.example")}))
	// Output:
	// first is asked
	// second is asked
	// helo: tempfail
}

// Blocking takes any handler off the event loop. Here two observers write to
// something slow; the MTA waits for them, so that nothing piles up.
func ExampleBlocking() {
	write := func(line string) { fmt.Println(line) } // to a disk, say
	journal := handlers.Blocking(handlers.Chain(
		handlers.Observe(func(_ *handlers.Session, c *protocol.MailFrom) { write("from " + c.Addr.String()) }),
		handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { write("ended: " + r.Status.String()) }),
	))

	s := handlertest.New(t, journal)
	s.Send(handlertest.Mail{From: "<a@example.com>"})
	// Output:
	// from <a@example.com>
	// ended: continue
}

// A function of On may look first, and leave the rest to a goroutine. The event is
// borrowed, so what the goroutine needs is taken from it before.
func ExampleAsync() {
	lookup := func(_ context.Context, host string) bool { return host == "known.example" }
	filter := handlers.On(func(_ *handlers.Session, c *protocol.Helo) handlers.Reply {
		if len(c.Name) == 0 {
			return handlers.Reject // no need to ask anybody
		}
		host := c.Name.String()
		return handlers.Async(func(ctx context.Context) handlers.Reply {
			if !lookup(ctx, host) {
				return handlers.TempFail.With(450, "4.7.1", "who is "+host+"?")
			}
			return handlers.Continue
		})
	})

	s := handlertest.New(t, filter)
	for _, host := range []string{"", "known.example", "other.example"} {
		show(s.Do(&protocol.Helo{Name: protocol.View(host)}))
	}
	// Output:
	// helo: reject
	// helo: continue
	// helo: tempfail, "450 4.7.1 who is other.example?"
}

// Progress is for a client that has callbacks: the reply is what resolve is called
// with, from whatever goroutine.
func ExampleProgress() {
	ask := func(_ string, done func(found bool)) { time.AfterFunc(time.Millisecond, func() { done(false) }) }
	filter := handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
		sender := c.Mailbox().String()
		return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
			ask(sender, func(found bool) {
				reply := handlers.Continue
				if !found {
					reply = handlers.Reject.With(550, "5.1.8", "no such sender")
				}
				if err := resolve(reply); err != nil {
					fmt.Println("too late:", err)
				}
			})
		})
	})

	s := handlertest.New(t, filter)
	show(s.Do(mail("<a@example.com>")))
	// Output:
	// envelope-from: reject, "550 5.1.8 no such sender"
}

// Around sees each event before a handler does, and each reply after it.
func ExampleAround() {
	count := map[handlers.Kind]int{}
	counting := handlers.Around(func(next handlers.Handler, s *handlers.Session, ev handlers.Event) handlers.Reply {
		return next.Handle(s, ev).Then(func(r handlers.Reply) handlers.Reply {
			if r.Status() == protocol.StatusReject {
				count[handlers.KindOf(ev)]++
			}
			return r
		})
	})
	filter := counting(handlers.Go(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Reject }))

	s := handlertest.New(t, filter)
	s.Do(mail("<a@example.com>"))
	s.Do(rcpt("<b@example.net>"))
	s.Do(rcpt("<c@example.net>"))
	fmt.Println(count)
	// Output:
	// map[envelope-recipient:2]
}

// Need has events sent that no function takes, so that a Session and a Result know
// of them.
func ExampleNeed() {
	filter := handlers.Chain(
		handlers.Need(handlers.KindConnect, handlers.KindEnvelopeRecipient),
		handlers.Observe(func(s *handlers.Session, r *handlers.Result) {
			host, _ := s.Client()
			fmt.Println("from", host, "to", r.Recipients)
		}),
	)

	s := handlertest.New(t, filter)
	s.Do(&protocol.Connect{Host: protocol.View("client.example")})
	s.Send(handlertest.Mail{To: []string{"<b@example.net>", "<c@example.net>"}})
	// Output:
	// from client.example to [<b@example.net> <c@example.net>]
}
