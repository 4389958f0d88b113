package actors

import (
	"runtime"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// idleActor does nothing with what it is told.
type idleActor struct{ conn *nullConn }

func (*idleActor) InvokeUserMessage(any)    {}
func (*idleActor) InvokeSystemMessage(any)  {}
func (*idleActor) EscalateFailure(_, _ any) {}
func (*idleActor) dropped(any)              {}
func (*idleActor) panicked(any)             {}
func (a *idleActor) post(f func()) error    { return a.conn.Post(f) }

func BenchmarkMailbox(b *testing.B) {
	a := &idleActor{new(nullConn)}
	m := &mailbox{owner: a}
	m.RegisterHandlers(a, nil)
	b.Run("inline", func(b *testing.B) {
		b.ReportAllocs()
		read := new(batch)
		for b.Loop() {
			m.PostUserMessage(read)
		}
	})
	b.Run("elsewhere", func(b *testing.B) {
		b.ReportAllocs()
		message := new(resolved)
		for b.Loop() {
			m.PostUserMessage(message)
			a.conn.run()
		}
	})
}

// A turn is one command of a kind, its handlers, and its answer.
func BenchmarkTurn(b *testing.B) {
	for _, tt := range []struct{ name, before, packets string }{
		{"macro", "O", "DM"},
		{"helo", "O", "H"},
		{"envelope-from", "O", "M A"},
		{"envelope-recipient", "O M", "R"},
		{"header", "O M", "L"},
		{"body", "O M", "B"},
		{"unknown", "O", "U"},
		{"end-of-message", "O", "M E"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			sys, loop, conn, link := openNull(b, filter())
			defer sys.Stop()
			link.Feed(packets(tt.before))
			in := packets(tt.packets)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%1000 == 999 { // what is kept of a message has a limit
					link.Lost(nil, false)
					link = loop.Open(conn, "test")
					link.Feed(packets(tt.before))
				}
				link.Feed(in)
			}
		})
	}
}

// A whole message: each step in a read of its own, all in one read, or with the last
// event off the loop.
func BenchmarkMessage(b *testing.B) {
	var all []byte
	for _, in := range wholeMessage {
		all = append(all, in...)
	}
	for name, reads := range map[string][][]byte{"lock-step": wholeMessage, "one-read": {all}} {
		b.Run(name, func(b *testing.B) {
			sys, _, _, link := openNull(b, filter())
			defer sys.Stop()
			link.Feed(packets("O C H"))
			b.SetBytes(int64(len(all)))
			b.ReportAllocs()
			for b.Loop() {
				for _, in := range reads {
					link.Feed(in)
				}
			}
		})
	}
	b.Run("go", func(b *testing.B) {
		h := handlers.Go(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Seen", "yes")
			return handlers.Continue
		})
		sys, _, conn, link := openNull(b, h)
		defer sys.Stop()
		conn.tell = make(chan struct{}, 1)
		link.Feed(packets("O C H"))
		b.SetBytes(int64(len(all)))
		b.ReportAllocs()
		for b.Loop() {
			for _, in := range wholeMessage[:len(wholeMessage)-1] {
				link.Feed(in)
			}
			conn.wait(link)
		}
	})
}

// Messages of many sessions in turn, each in one read, of which the handlers see all and
// answer nothing before the end.
func BenchmarkNoReply(b *testing.B) {
	h := handlers.Chain(
		handlers.Observe(func(*handlers.Session, *protocol.MailFrom) {}),
		handlers.Observe(func(*handlers.Session, *protocol.RcptTo) {}),
		handlers.Observe(func(*handlers.Session, *protocol.Data) {}),
		handlers.Observe(func(*handlers.Session, *protocol.Header) {}),
		handlers.Observe(func(*handlers.Session, *protocol.EndOfHeader) {}),
		handlers.Observe(func(*handlers.Session, *protocol.Body) {}),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Seen", "yes")
			return handlers.Continue
		}),
	)
	message := packets("DM M DR R DT T" + strings.Repeat(" DL L", 12) + " DN N DB B DE E")
	sys, loop, _, _ := openNull(b, h)
	defer sys.Stop()
	links := make([]Link, 100)
	for i := range links {
		links[i] = loop.Open(new(nullConn), "test")
		links[i].Feed(packets("O C H"))
	}
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		links[n%len(links)].Feed(message)
	}
}

// A connection is opened, and closed again.
func BenchmarkSession(b *testing.B) {
	sys, loop, conn, _ := openNull(b, filter())
	defer sys.Stop()
	first, last := packets("O C H"), packets("Q")
	b.ReportAllocs()
	for b.Loop() {
		link := loop.Open(conn, "test")
		link.Feed(first)
		link.Feed(last)
	}
}

// What a session takes that waits for its MTA.
func BenchmarkIdleSession(b *testing.B) {
	for _, tt := range []struct{ name, in string }{
		{"new", ""}, {"negotiated", "O"}, {"with macros", "O DC C DH H"}, {"after a message", "O C H M R L E"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			h := filter()
			in := packets(tt.in)
			for b.Loop() {
				const n = 2000
				sys, loop, _, _ := openNull(b, h)
				links := make([]Link, n)
				conns := make([]nullConn, n)
				before := heap()
				for i := range links {
					links[i] = loop.Open(&conns[i], "test")
					links[i].Feed(in)
				}
				b.ReportMetric(float64(heap()-before)/n, "B/session")
				runtime.KeepAlive(sys)
			}
		})
	}
}

// heap returns how many bytes live.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Arming a timer is what every turn does.
func BenchmarkWheel(b *testing.B) {
	sys, loop, _, link := openNull(b, filter())
	defer sys.Stop()
	s := link.(*session)
	b.ReportAllocs()
	at := loop.now()
	for b.Loop() {
		at = at.after(tickEvery)
		loop.wheel.set(&s.timer, at)
	}
}
