package actors

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// packet returns one packet.
func packet(code byte, body string) []byte {
	return append([]byte{0, 0, 0, byte(len(body) + 1), code}, body...)
}

// malformed has what ends a session.
var malformed = []struct {
	name   string
	before string // what comes first
	bytes  []byte
	err    error
}{
	{"length 0", "O", []byte{0, 0, 0, 0}, protocol.ErrPacketEmpty},
	{"length of 4 GiB", "O", []byte{0xff, 0xff, 0xff, 0xff}, protocol.ErrPacketTooLarge},
	{"short offer", "", packet('O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff"), protocol.ErrShortPacket},
	{"macros of no command", "O", packet('D', ""), protocol.ErrShortPacket},
	{"connect without host", "O", packet('C', "host"), protocol.ErrMissingNull},
	{"connect without family", "O", packet('C', "host\x00"), protocol.ErrShortPacket},
	{"connect with half a port", "O", packet('C', "host\x004\x00"), protocol.ErrShortPacket},
	{"connect with a strange family", "O", packet('C', "host\x00X"), protocol.ErrUnknownFamily},
	{"connect with a bad address", "O", packet('C', "host\x004\x00\x19192.0.2.12x\x00"), protocol.ErrInvalidAddress},
	{"helo without end", "O", packet('H', "name"), protocol.ErrMissingNull},
	{"mail without sender", "O", packet('M', ""), protocol.ErrMissingNull},
	{"recipient without end", "O M", packet('R', "<a>"), protocol.ErrMissingNull},
	{"header without value", "O M", packet('L', "Subject\x00"), protocol.ErrMissingNull},
	{"header without name", "O M", packet('L', "\x00value\x00"), protocol.ErrProtocol},
	{"unknown packet", "O", packet('z', ""), protocol.ErrUnexpectedCommand},
	{"too many strings", "O", packet('M', string(make([]byte, 129))), protocol.ErrTooMany},
	{"connect before the offer", "", packets("C"), protocol.ErrSequence},
	{"second offer", "O", packets("O"), protocol.ErrSequence},
	{"recipient outside a message", "O", packets("R"), protocol.ErrSequence},
	{"backwards", "O M N", packets("L"), protocol.ErrSequence},
}

// What comes before bad input is answered, in one write; nothing after it.
func TestMalformed(t *testing.T) {
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, ends, nil)
				p.replies = replies{handlers.KindFinished: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
					if err := ev.(*handlers.Finished).Err; !errors.Is(err, tt.err) {
						t.Errorf("finished with %v", err)
					}
					return handlers.Reply{}
				}}
				in := append(packets(tt.before), tt.bytes...)
				if err := p.Feed(append(in, packets("H M R Q")...)); !errors.Is(err, tt.err) {
					t.Errorf("error %v", err)
				}
				good := newProbe(t, Config{}, ends, nil)
				want(t, "answers", p.settled(), good.feed(tt.before))
				if p.Writes() > 1 {
					t.Errorf("%d writes", p.Writes())
				}
				message := ""
				if good.Session().InMessage() {
					message = "abort(" + good.Session().State().String() + ") message-processed(abort) "
				}
				class := classOf(tt.err)
				want(t, "events", p.events(), "error(none,"+class+") "+message+"finished("+class+")")
			})
		})
	}
}

// Bad input behind a pending answer has its turn when what is before it is done.
func TestMalformedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{}, brief, replies{handlers.KindHelo: h.reply})
		p.feed("O H")
		p.events()
		_ = p.Feed(append(packets("M R"), 0, 0, 0, 0))
		_ = p.Feed(packets("T")) // not to be read any more
		want(t, "events", p.settled()+p.events(), "")
		_ = h.resolve(handlers.Continue)
		want(t, "answers", p.settled(), "ccc")
		want(t, "events", p.events(), "envelope-from envelope-recipient error(none,protocol) "+
			"abort(envelope-recipient-replied) finished(protocol)")
	})
}

// An abort is found before the bad input, a quit after it is not read.
func TestMalformedPreempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		p := newProbe(t, Config{}, brief, replies{handlers.KindBody: h.reply})
		p.feed("O M B")
		p.events()
		_ = p.Feed(bytes.Join([][]byte{packets("B A"), packet('z', ""), packets("Q")}, nil))
		want(t, "answers", p.settled(), "")
		want(t, "events", p.events(), "abort(body) error(none,protocol) finished(protocol)")
	})
}

// An MTA that does not wait for answers is closed.
func TestFlood(t *testing.T) {
	tests := []struct {
		name, script string
		kind         handlers.Kind
		events       string
	}{
		{
			"answer", "O M R", handlers.KindEnvelopeRecipient,
			"error(none,too-many) abort(envelope-recipient) message-processed(abort) finished(too-many)",
		},
		{"result", "O M E", handlers.KindMessageProcessed, "error(message-processed,too-many) finished(too-many)"},
		{"abort", "O M A", handlers.KindAbort, "error(abort,too-many) message-processed(abort) finished(too-many)"},
		{"end of a client", "O K", handlers.KindFinished, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				work := func(*handlers.Session, handlers.Event) handlers.Reply { return handlers.Async(sleeper(time.Minute)) }
				p := newProbe(t, Config{MaxPacketSize: 1000, MaxPending: 1}, ends|handlers.Of(tt.kind), replies{tt.kind: work})
				p.feed(tt.script)
				p.events()
				many := bytes.Repeat(packet('R', "<a>\x00"), 2008/9)
				if err := p.Feed(many); err != nil { // two packets of the greatest size always may
					t.Errorf("too soon: %v", err)
				}
				if err := p.Feed(packets("R")); !errors.Is(err, protocol.ErrTooMany) {
					t.Errorf("error %v", err)
				}
				want(t, "answers", p.settled(), "")
				want(t, "events", p.events(), tt.events)
				if p.sys.Len() != 0 {
					t.Error("the session is still there")
				}
			})
		})
	}
}

// Many aborts while a function takes its time cost no more than any packets.
func TestFloodAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := brief | handlers.Of(handlers.KindMacro)
		p := newProbe(t, Config{}, takes, replies{
			handlers.KindMacro: func(*handlers.Session, handlers.Event) handlers.Reply {
				return handlers.Async(func(context.Context) handlers.Reply {
					time.Sleep(time.Minute)
					return handlers.Reply{}
				})
			},
		})
		p.feed("O M DR")
		_ = p.Feed(bytes.Repeat(packets("A"), (2<<20)/5))
		want(t, "aborted once", p.after(2*time.Minute)+p.events(),
			"negotiate envelope-from define-macro(R) abort(envelope-from-replied)")
	})
}
