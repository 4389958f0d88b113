package actors

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// An alarm is a log that fails a test when a session fails by our own fault.
type alarm struct{ t *testing.T }

func (alarm) Enabled(context.Context, slog.Level) bool { return true }
func (a alarm) WithAttrs([]slog.Attr) slog.Handler     { return a }
func (a alarm) WithGroup(string) slog.Handler          { return a }

func (a alarm) Handle(_ context.Context, line slog.Record) error {
	if strings.HasPrefix(line.Message, "session failed") {
		a.t.Errorf("%s: %v", line.Message, attrsOf(line))
	}
	return nil
}

// dice are the choices of a fuzzed filter: each byte is one, and then they begin
// anew.
type dice struct {
	bytes []byte
	n     int
}

func (d *dice) roll(sides int) int {
	if len(d.bytes) == 0 {
		return 0
	}
	d.n++
	return int(d.bytes[d.n%len(d.bytes)]) % sides
}

// verdicts are what a fuzzed filter may say.
var verdicts = []handlers.Reply{
	{},
	handlers.Continue,
	{},
	handlers.Continue, handlers.Accept, handlers.Reject, handlers.TempFail, handlers.Discard,
	handlers.Skip, handlers.NoReply, handlers.AllOptions, handlers.Reject.With(550, "5.7.1", "no", "100% no"),
	handlers.TempFail.With(250, ""), handlers.Failed(errors.ErrUnsupported),
}

// fuzzed is a handler of every event that does whatever the dice say.
type fuzzed struct {
	*alone
	dice *dice
}

func (f *fuzzed) Wants() handlers.Wants {
	return handlers.Wants{Events: everything, Replies: answerable}
}

func (f *fuzzed) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	defer f.enter()()
	switch e := ev.(type) {
	case *handlers.Negotiation:
		e.SetSteps(e.Steps() | protocol.Steps(f.dice.roll(256)<<7))
	case *handlers.Message:
		f.change(e)
	}
	r := verdicts[f.dice.roll(len(verdicts))]
	switch f.dice.roll(8) {
	case 0:
		return f.async(r, time.Duration(f.dice.roll(20))*time.Second)
	case 1:
		return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) { _ = resolve(r) })
	case 2:
		d := time.Duration(f.dice.roll(20)) * time.Second
		return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
			time.AfterFunc(d, func() { _ = resolve(r) })
		})
	case 3:
		panic("die")
	}
	return r
}

// async returns work of some time, which may not care whether it is still wanted.
func (f *fuzzed) async(r handlers.Reply, d time.Duration) handlers.Reply {
	stubborn := f.dice.roll(2) == 0
	return handlers.Async(func(ctx context.Context) handlers.Reply {
		defer f.enter()()
		if stubborn {
			time.Sleep(d)
			return r
		}
		sleeper(d)(ctx)
		return r
	})
}

// change changes a message.
func (f *fuzzed) change(m *handlers.Message) {
	for range f.dice.roll(4) {
		switch f.dice.roll(6) {
		case 0:
			m.AddHeader("Name", "value")
		case 1:
			m.ReplaceBody(make([]byte, f.dice.roll(256)))
		case 2:
			m.Quarantine("reason")
		case 3:
			m.Progress()
		case 4:
			m.AddRecipient("")
		case 5:
			m.Flush()
		}
	}
}

// fuzzScript is what the bytes of a fuzzed MTA stand for; the rest is sent as it is.
var fuzzScript = strings.Fields("O O2 C H DM M R R2 DR T U L L DL N B B E E1 A Q K DE")

// FuzzSession plays an MTA that says anything to a filter that does anything. The
// session must not fail or hang, must never run two functions at once, must write
// nothing but answers, and no more final ones than it was asked for.
func FuzzSession(f *testing.F) {
	f.Add([]byte{0, 2, 3, 5, 6, 9, 11, 14, 15, 17, 20}, []byte{0})
	f.Add([]byte{0, 5, 6, 19, 5, 21, 5, 17}, []byte{1, 7, 3, 0, 9})
	f.Add([]byte{0, 5, 17, 200, 19, 5, 18, 0, 0, 0, 1}, []byte{5, 0, 2, 8, 13, 77})
	f.Add([]byte("GET / HTTP/1.1\r\n"), []byte{})
	f.Fuzz(func(t *testing.T, mta, filter []byte) {
		if len(mta) > 200 {
			return
		}
		hang := time.AfterFunc(20*time.Second, func() { panic("the session hangs") }) // outside the bubble
		defer hang.Stop()
		synctest.Test(t, func(t *testing.T) { fuzzSession(t, mta, &dice{bytes: filter}) })
	})
}

func fuzzSession(t *testing.T, mta []byte, d *dice) {
	p := &probe{t: t}
	h := &fuzzed{alone: &alone{t: t}, dice: d}
	var handler handlers.Handler = h
	if d.roll(4) == 0 {
		handler = handlers.Blocking(h)
	}
	cfg := Config{
		HandlerTimeout: 10 * time.Second, Timeout: time.Minute, AutoProgress: 3 * time.Second, SplitFinalChunk: d.roll(2) == 0,
		PacketBuffer: d.roll(3) - 1, MaxPacketSize: 300, MaxPending: 1, Log: slog.New(alarm{t}),
	}
	p.start(cfg, handlers.Shared(handler))
	asked, told := 0, 0
	for i, b := range mta {
		switch {
		case int(b) < len(fuzzScript):
			word := fuzzScript[b]
			if !strings.ContainsAny(word[:1], "DAQK") {
				asked++
			}
			_ = p.Feed(packets(word))
		case b < 64: // in pieces
			_ = p.Feed([]byte{0, 0, 0, b, 'B'})
			asked++
		case b < 128:
			time.Sleep(time.Duration(b) * time.Second / 8)
		case b < 132:
			p.HangUp(map[bool]error{true: io.ErrClosedPipe}[b > 129])
		case b < 136:
			p.sys.CloseAll()
		default:
			_ = p.Feed(mta[i:])
			asked += len(mta[i:]) / 5
		}
		if told += finals(t, p.Output()); told > asked {
			t.Errorf("%d answers to %d commands", told, asked)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	if told += finals(t, p.Output()); told > asked {
		t.Errorf("%d answers to %d commands", told, asked)
	}
}

// finals counts the answers that end a wait.
func finals(t *testing.T, out []byte) (n int) {
	for _, a := range answers(t, out) {
		if a.IsFinal() {
			n++
		}
	}
	return n
}
