package actors

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"millstream/handlers"
	"millstream/protocol"
)

// A message may have as many commands as an MTA cares to send: a handler is told of
// each, and each is answered. Only what is kept for the result has its limits.
func TestLongMessage(t *testing.T) {
	const rcpts, headers, chunks, chunkSize = 5000, 10000, 1000, 1000
	in := packets("O M")
	for i := range rcpts {
		in = (&protocol.RcptTo{Addr: protocol.View(fmt.Sprintf("<%d@example.net>", i))}).Append(in)
	}
	in = append(in, packets("T")...)
	for i := range headers {
		in = (&protocol.Header{Name: protocol.View("X-Number"), Value: fmt.Append(nil, i)}).Append(in)
	}
	in = append(in, packets("N")...)
	for range chunks {
		in = (&protocol.Body{Chunk: bytes.Repeat([]byte("x"), chunkSize)}).Append(in)
	}
	in = append(in, packets("E")...)

	synctest.Test(t, func(t *testing.T) {
		var told struct{ rcpts, headers, chunks int }
		var result *handlers.Result
		p := &probe{t: t}
		p.start(Config{}, handlers.Shared(handlers.Chain(
			handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply {
				told.rcpts++
				return handlers.Continue
			}),
			handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply {
				told.headers++
				return handlers.Continue
			}),
			handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply {
				told.chunks++
				return handlers.Continue
			}),
			handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Accept }),
			handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { result = r }),
		)))
		for read := range slices.Chunk(in, 64<<10) {
			if err := p.Feed(read); err != nil {
				t.Fatal(err)
			}
		}
		// Nobody asks for data and end-of-header, and MAIL is not waited for: they come
		// all the same, and the first two are answered.
		wanted := "O" + strings.Repeat("c", rcpts+1+headers+1+chunks) + "a"
		if got := p.settled(); got != wanted {
			t.Errorf("%d answers, want %d", len(got), len(wanted))
		}
		want(t, "told", fmt.Sprint(told), fmt.Sprintf("{%d %d %d}", rcpts, headers, chunks))
		if result == nil {
			t.Fatal("no result")
		}
		want(t, "kept", fmt.Sprint(len(result.Recipients), len(result.Headers), result.BodySize, result.Truncated),
			fmt.Sprint(rcpts, handlers.DefaultResultLimits.Headers, chunks*chunkSize, true))
	})
}

// ESMTP parameters come to a handler as the MTA sent them, borrowed or its own.
func TestParameters(t *testing.T) {
	in := slices.Concat(packets("O"),
		(&protocol.MailFrom{Addr: protocol.View("<a@example.com>"), Params: protocol.NewParams("SIZE=1024", "SMTPUTF8")}).Append(nil),
		(&protocol.RcptTo{
			Addr: protocol.View("<b@example.net>"), Params: protocol.NewParams("NOTIFY=NEVER", "ORCPT=rfc822;b@example.net"),
		}).Append(nil),
		packets("R2"))
	verbs := map[string]func(handlers.Handler) handlers.Handler{
		"on": func(h handlers.Handler) handlers.Handler { return h },
		"go": handlers.Blocking,
	}
	for verb, work := range verbs {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &probe{t: t}
				tell := func(addr protocol.View, params protocol.Params, names ...string) handlers.Reply {
					p.note(fmt.Sprint(addr, params.Strings()))
					for _, name := range names {
						value, ok := params.Lookup(name)
						p.note(fmt.Sprintf("%s=%s,%v", name, value, ok))
					}
					return handlers.Continue
				}
				p.start(Config{}, handlers.Shared(work(handlers.Chain(
					handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
						return tell(c.Addr, c.Params, "size", "SMTPUTF8", "BODY")
					}),
					handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
						return tell(c.Addr, c.Params, "notify", "ORCPT")
					}),
				))))
				if err := p.Feed(in); err != nil {
					t.Error(err)
				}
				want(t, "answers", p.settled(), "Occc")
				want(t, "told", p.events(), "<a@example.com> [SIZE=1024 SMTPUTF8] size=1024,true SMTPUTF8=,true BODY=,false "+
					"<b@example.net> [NOTIFY=NEVER ORCPT=rfc822;b@example.net] notify=NEVER,true ORCPT=rfc822;b@example.net,true "+
					"<c@example.net> [] notify=,false ORCPT=,false")
			})
		})
	}
}
