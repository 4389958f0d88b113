package handlers_test

import (
	"context"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// offer is what Postfix and Sendmail offer.
var offer = protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}

// A rig is a session without a server, for what is measured: the way of a command
// through the Control, with nothing around it.
type rig struct {
	tb      testing.TB
	control *handlers.Control
	handler handlers.Handler
	now     time.Time
	room    []byte
}

// newRig returns a rig that has negotiated what follows from the handler.
func newRig(tb testing.TB, h handlers.Handler) *rig {
	tb.Helper()
	r := &rig{
		tb: tb, control: handlers.NewControl(context.Background(), handlers.Facts{PacketBuffer: 64 << 10}, nil), handler: h, now: time.Now(),
	}
	r.receive(&protocol.Negotiate{Offer: offer})
	agreed, err := protocol.Agree(offer, protocol.Request{Actions: offer.Actions, Steps: h.Wants().Steps()})
	if err != nil {
		tb.Fatal(err)
	}
	r.apply(protocol.CodeNegotiate, protocol.StatusContinue)
	r.control.Agree(agreed)
	return r
}

func (r *rig) receive(cmd protocol.Command) protocol.Turn {
	turn, err := r.control.Receive(cmd, r.now)
	if err != nil {
		r.tb.Fatal(err)
	}
	return turn
}

func (r *rig) apply(c protocol.Code, s protocol.Status) protocol.Effect {
	e, err := r.control.Apply(c, s, protocol.StatusTempFail, 0)
	if err != nil {
		r.tb.Fatal(err)
	}
	return e
}

// do takes one command to its answer.
func (r *rig) do(cmd protocol.Command, ev handlers.Event) protocol.Effect {
	if turn := r.receive(cmd); !turn.Pending {
		return protocol.Effect{}
	}
	s := r.control.Begin(context.Background())
	reply := r.control.Call(r.handler, s, ev)
	return r.apply(cmd.Code(), reply.Status())
}

// command is do for a command that is its own event.
func (r *rig) command(cmd protocol.Command) protocol.Effect { return r.do(cmd, cmd) }

// message takes a small message through the rig.
func (r *rig) message() {
	r.receive(benchMacro)
	r.command(benchMail)
	r.command(benchRcpt)
	r.command(benchData)
	for range 10 {
		r.command(benchHeader)
	}
	r.command(benchEndOfHeader)
	r.command(benchBody)
	r.receive(benchEnd)
	m := r.control.Message(nil, discard{}, r.room)
	s := r.control.Begin(context.Background())
	reply := r.control.Call(r.handler, s, m)
	packets, failed, err := r.control.Conclude(m)
	if failed || err != nil {
		r.tb.Fatal(err)
	}
	r.room = packets
	r.apply(protocol.CodeEndOfMessage, reply.Status())
	r.control.EndMessage(0)
}

// discard is an outlet that leads nowhere.
type discard struct{}

func (discard) Flush([]byte) {}
func (discard) Wait()        {}

var (
	benchMacro       = protocol.NewMacro(protocol.CodeMailFrom, "i", "4F1bN71jzQ", "mail_mailer", "smtp")
	benchMail        = &protocol.MailFrom{Addr: protocol.View("<a@example.com>"), Params: protocol.NewParams("SIZE=1024")}
	benchRcpt        = &protocol.RcptTo{Addr: protocol.View("<b@example.net>")}
	benchData        = &protocol.Data{}
	benchHeader      = &protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("an ordinary subject")}
	benchEndOfHeader = &protocol.EndOfHeader{}
	benchBody        = &protocol.Body{Chunk: make(protocol.View, 4096)}
	benchEnd         = &protocol.EndOfMessage{}
)

func pass[E handlers.Answered](*handlers.Session, E) handlers.Reply { return handlers.Continue }

// every answers every event of a message inline.
var every = handlers.Chain(
	handlers.On(pass[*protocol.MailFrom]), handlers.On(pass[*protocol.RcptTo]), handlers.On(pass[*protocol.Data]),
	handlers.On(pass[*protocol.Header]), handlers.On(pass[*protocol.EndOfHeader]), handlers.On(pass[*protocol.Body]),
	handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		m.AddHeader("X-Filtered", "yes")
		return handlers.Accept
	}),
)

func BenchmarkHeader(b *testing.B) {
	for _, bench := range []struct {
		name    string
		handler handlers.Handler
	}{
		{"on", handlers.On(pass[*protocol.Header])},
		{"chain", every},
		{"observe", handlers.Observe(func(*handlers.Session, *protocol.Header) {})},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := newRig(b, bench.handler)
			r.command(benchMail)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if n++; n == 1000 { // or the counted headers are all that is measured
					n = 0
					r.receive(&protocol.Abort{})
					r.apply(protocol.CodeAbort, protocol.StatusContinue)
					r.control.EndMessage(0)
					r.command(benchMail)
				}
				r.command(benchHeader)
			}
		})
	}
}

// A pending answer, with the goroutine left out: what is measured is the way there
// and back.
func BenchmarkGo(b *testing.B) {
	h := handlers.Chain(handlers.Go(pass[*protocol.MailFrom]))
	r := newRig(b, h)
	inline := func(f func()) { f() }
	b.ReportAllocs()
	for b.Loop() {
		r.receive(benchMail)
		s := r.control.Begin(context.Background())
		reply := r.control.Call(h, s, benchMail)
		r.control.Run(s, reply, inline, func(next func() handlers.Reply) { reply = next() })
		r.apply(protocol.CodeMailFrom, reply.Status())
		r.receive(&protocol.Abort{})
		r.apply(protocol.CodeAbort, protocol.StatusContinue)
		r.control.EndMessage(0)
	}
}

func BenchmarkMacro(b *testing.B) {
	r := newRig(b, every)
	r.command(benchMail)
	b.ReportAllocs()
	for b.Loop() {
		r.receive(benchMacro)
	}
}

func BenchmarkMessage(b *testing.B) {
	r := newRig(b, every)
	b.ReportAllocs()
	for b.Loop() {
		r.message()
	}
}

func BenchmarkSession(b *testing.B) {
	r := newRig(b, every)
	r.receive(benchMacro)
	r.command(benchMail)
	s := r.control.Session()
	b.Run("state", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = s.State()
		}
	})
	b.Run("macro", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Macro("{i}")
		}
	})
}
