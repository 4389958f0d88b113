package actors

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// These are the tests of handlers/PARITY.md that had no other place: one event after
// the other, through the verbs that a filter uses.

// An answering is an event with an answer: how it comes, what it carries, and what is
// written for the reply to it.
type answering struct {
	name       string // also that of its state
	before, in string // scripts: the way there, and the event
	carries    string
	reply      handlers.Reply
	want       string

	// handler gives f of the event and what it carries.
	handler func(verb string, f func(s *handlers.Session, carries string) handlers.Reply) handlers.Handler
}

// event is an answering with what E carries.
func event[E handlers.Answered](name, before, in, carries string, r handlers.Reply, want string, tell func(E) string) answering {
	h := func(verb string, f func(*handlers.Session, string) handlers.Reply) handlers.Handler {
		g := func(s *handlers.Session, ev E) handlers.Reply { return f(s, tell(ev)) }
		switch verb {
		case "go":
			return handlers.Go(g)
		case "blocking":
			return handlers.Blocking(handlers.On(g))
		default:
			return handlers.On(g)
		}
	}
	return answering{name, before, in, carries, r, want, h}
}

// answerings has every event with an answer.
var answerings = []answering{
	event("negotiate", "", "O", "6", handlers.Continue, "O", func(n *handlers.Negotiation) string { return fmt.Sprint(n.Offer().Version) }),
	event("connect", "O", "C", "client.example", handlers.TempFail, "t", func(c *protocol.Connect) string { return c.Host.String() }),
	event("helo", "O C", "H", "client.example", handlers.TempFail, "t", func(c *protocol.Helo) string { return c.Name.String() }),
	event("envelope-from", "O C H", "M", "<a@example.com>", handlers.TempFail, "t", func(c *protocol.MailFrom) string { return c.Addr.String() }),
	event("envelope-recipient", "O M", "R", "<b@example.net>", handlers.TempFail, "t", func(c *protocol.RcptTo) string { return c.Addr.String() }),
	event("data", "O M R", "T", "", handlers.TempFail, "t", func(*protocol.Data) string { return "" }),
	event("unknown", "O M", "U", "HELP", handlers.TempFail, "t", func(c *protocol.Unknown) string { return c.Line.String() }),
	event("header", "O M R T", "L", "Subject: hi", handlers.TempFail, "t", func(h *protocol.Header) string { return h.Name.String() + ": " + h.Value.String() }),
	event("end-of-header", "O M L", "N", "", handlers.TempFail, "t", func(*protocol.EndOfHeader) string { return "" }),
	event("body", "O M N", "B", "Hello\r\n", handlers.TempFail, "t", func(b *protocol.Body) string { return b.Chunk.String() }),
	event("end-of-message", "O M B", "E1", "tail\r\n", handlers.TempFail, "t", func(m *handlers.Message) string { return m.Chunk().String() }),
	event("abort", "O M R", "A", "envelope-recipient-replied", handlers.TempFail, "", // which means nothing
		func(a *handlers.Abort) string { return a.State.String() }),
}

// Each event comes to each verb with what it carries, in its state, and is answered
// in the state that follows.
func TestEvents(t *testing.T) {
	for _, tt := range answerings {
		for _, verb := range []string{"on", "go", "blocking"} {
			t.Run(tt.name+"/"+verb, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := &probe{t: t}
					p.start(Config{}, handlers.Shared(tt.handler(verb, func(s *handlers.Session, carries string) handlers.Reply {
						p.note(s.State().String() + "(" + carries + ")")
						return tt.reply
					})))
					p.feed(tt.before)
					want(t, "answer", p.feed(tt.in), tt.want)
					want(t, "told", p.events(), tt.name+"("+tt.carries+")")
					want(t, "state", p.Session().State().String(), tt.name+"-replied")
				})
			})
		}
	}
}

// Each event can be answered later. Until then nothing is written and the state
// stays; then it is as if it had been answered at once. That of an abort is only
// waited for.
func TestLate(t *testing.T) {
	ways := map[string]func(handlers.Reply) handlers.Reply{
		"async": func(r handlers.Reply) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				time.Sleep(time.Second)
				return r
			})
		},
		"resolve": func(r handlers.Reply) handlers.Reply {
			return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
				time.AfterFunc(time.Second, func() { _ = resolve(r) })
			})
		},
	}
	for _, tt := range answerings {
		for way, late := range ways {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var told handlers.Response
					p := &probe{t: t}
					p.start(Config{}, handlers.Shared(handlers.Chain(
						tt.handler("on", func(*handlers.Session, string) handlers.Reply { return late(tt.reply) }),
						handlers.Observe(func(_ *handlers.Session, r *handlers.Response) { told = *r }),
					)))
					p.feed(tt.before)
					told = handlers.Response{}
					next := " U"
					if tt.name == "unknown" {
						next = " T"
					}
					want(t, "at once", p.feed(tt.in+next), "") // what comes next waits
					want(t, "state", p.Session().State().String(), tt.name)
					if told != (handlers.Response{}) {
						t.Errorf("told at once: %+v", told)
					}
					want(t, "answer", p.after(time.Second-1), "")
					want(t, "answer", p.after(1), tt.want+"c")
					status := tt.reply.Status()
					if tt.name == "abort" {
						status = protocol.StatusAbort
					}
					want(t, "to", told.To.String(), tt.name)
					if told.Status != status || told.Took != time.Second || told.Silent != (tt.want == "") {
						t.Errorf("told %+v", told)
					}
				})
			})
		}
	}
}

// What takes no answer comes to functions of Observe, with what it carries.
func TestObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{t: t}
		p.start(Config{Timeout: time.Minute}, handlers.Shared(handlers.Chain(
			handlers.Observe(func(*handlers.Session, *handlers.Established) { p.note("established") }),
			handlers.Observe(func(_ *handlers.Session, m *protocol.Macro) {
				for name, value := range m.All() {
					p.note(fmt.Sprintf("macro(%v,%s=%s)", m.Stage, name, value))
				}
			}),
			handlers.Observe(func(_ *handlers.Session, r *handlers.Result) {
				p.note(fmt.Sprintf("result(%s,%v)", r.From, r.Status))
			}),
			handlers.Observe(func(_ *handlers.Session, f *handlers.Failure) {
				p.note(fmt.Sprintf("failure(%v,%s)", f.During, classOf(f.Err)))
			}),
			handlers.Observe(func(_ *handlers.Session, e *handlers.Timeout) { p.note(fmt.Sprintf("timeout(%v)", e.After)) }),
			handlers.Observe(func(_ *handlers.Session, f *handlers.Finished) { p.note("finished(" + classOf(f.Err) + ")") }),
		)))
		want(t, "before the offer", p.events(), "established")
		p.feed("O DM M E")
		want(t, "message", p.events(), "macro(envelope-from,i=QM) result(<a@example.com>,continue)")
		p.after(time.Minute + tickEvery)
		want(t, "silence", p.events(), "failure(none,timeout) timeout(1m0s) finished(timeout)")
	})
}

// What a session tells before anything has come: the values that properties begin
// with, and those of the configuration.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := newProbe(t, Config{}, brief, nil), newProbe(t, Config{Timeout: time.Minute, PacketBuffer: -1}, brief, nil)
		s := p.Session()
		if s.State() != protocol.StateStart || s.LastState() != protocol.StateStart || s.Status() != protocol.StatusDefault {
			t.Errorf("state %v, last %v, status %v", s.State(), s.LastState(), s.Status())
		}
		if s.Options() != (protocol.Options{}) || s.QuarantineReason() != "" || s.Result() != nil || s.Private() != nil || s.InMessage() {
			t.Errorf("options %+v, reason %q, result %v, private %v", s.Options(), s.QuarantineReason(), s.Result(), s.Private())
		}
		if s.Timeout() != 7210*time.Second || s.PacketBuffer() != 64<<10 || s.Listener() != "offline" || s.Sessions() != 1 {
			t.Errorf("time-out %v, buffer %d, listener %q, %d sessions", s.Timeout(), s.PacketBuffer(), s.Listener(), s.Sessions())
		}
		other := q.Session()
		if other.Timeout() != time.Minute || other.PacketBuffer() != 0 || other.ID() == s.ID() {
			t.Errorf("time-out %v, buffer %d, numbers %d and %d", other.Timeout(), other.PacketBuffer(), other.ID(), s.ID())
		}
	})
}

// Header values keep their leading white space, both ways, where that was asked for.
func TestLeadingSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var value string
		a, p := agreed(t, Config{}, handlers.Chain(
			handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
				n.SetSteps(n.Steps() | protocol.StepHeaderLeadingSpace)
				return handlers.Continue
			}),
			handlers.Observe(func(_ *handlers.Session, h *protocol.Header) { value = h.Value.String() }),
			handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
				m.AddHeader("X-Test", "  yes")
				return handlers.Accept
			}),
		), offer)
		if !a.Offer.Steps.Has(protocol.StepHeaderLeadingSpace) {
			t.Errorf("asked for %v", a.Offer.Steps)
		}
		b := (&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View(" hi")}).Append(packets("M"))
		_ = p.Feed(append(b, packets("E")...))
		want(t, "received", value, " hi")
		if list := answers(t, p.Output()); len(list) != 2 || string(list[0].Value) != "  yes" {
			t.Errorf("written %+v", list)
		}
	})
}

// A header is deleted by a change to nothing.
func TestDeleteHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, brief, replies{handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			ev.(*handlers.Message).DeleteHeader("X-Old", 2)
			return handlers.Accept
		}})
		p.feed("O M")
		_ = p.Feed(packets("E"))
		packet, err := protocol.AppendChangeHeader(nil, "X-Old", 2, "")
		packet = protocol.AppendReply(packet, protocol.StatusAccept, nil)
		if got := p.Output(); err != nil || !slices.Equal(got, packet) {
			t.Errorf("written %q, want %q, error %v", got, packet, err)
		}
	})
}
