package actors

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"millstream/handlers"
	"millstream/protocol"
)

// onMessage answers the end of a message with f, inline or off the loop.
var onMessage = map[string]func(func(*handlers.Session, *handlers.Message) handlers.Reply) handlers.Handler{
	"on": handlers.On[*handlers.Message],
	"go": handlers.Go[*handlers.Message],
}

func TestOfflineMessage(t *testing.T) {
	for name, verb := range onMessage {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { offlineMessage(t, verb) }) })
	}
}

func offlineMessage(t *testing.T, verb func(func(*handlers.Session, *handlers.Message) handlers.Reply) handlers.Handler) {
	var results []*handlers.Result
	h := handlers.Chain(
		handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Continue }),
		handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Continue }),
		verb(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Queue", s.Macro("i"))
			return handlers.Accept
		}),
		handlers.Observe(func(_ *handlers.Session, r *handlers.Result) { results = append(results, r) }),
	)
	o, err := NewOffline(Config{Log: quiet}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	feed := func(script string) string {
		t.Helper()
		if err := o.Feed(packets(script)); err != nil {
			t.Errorf("feed: %v", err)
		}
		o.Wait()
		return codesOf(answers(t, o.Output()))
	}
	want(t, "negotiation", feed("O"), "O")
	want(t, "answers", feed("M R L DE E"), "ccha") // MAIL is not answered
	if len(results) != 1 || results[0].From != "<a@example.com>" || results[0].Headers[0].Value != "hi" ||
		results[0].AddedHeaders[0].Value != "QE" || results[0].Status != protocol.StatusAccept {
		t.Errorf("results %+v", results[0])
	}
	feed("Q")
	if err := o.Feed(nil); !errors.Is(err, handlers.ErrSessionClosed) {
		t.Errorf("after quit: %v", err)
	}
}

// A session does the same however its input is split.
func TestOfflineSplit(t *testing.T) {
	const script = "O C H DM M R R2 T L N B E1 A U M R A Q"
	run := func(t *testing.T, size int) (codes, events string) {
		p := newProbe(t, Config{}, everything, nil)
		for b := packets(script); len(b) > 0; {
			n := min(size, len(b))
			if err := p.Feed(b[:n]); err != nil {
				t.Fatal(err)
			}
			b = b[n:]
		}
		return p.output(), p.events()
	}
	synctest.Test(t, func(t *testing.T) {
		codes, events := run(t, 1<<20)
		for _, size := range []int{1, 2, 3, 5, 7, 64} {
			c, e := run(t, size)
			want(t, "answers", c, codes)
			want(t, "events", e, events)
		}
	})
}

// A View that a handler keeps is overwritten, one that it was given to keep is not.
func TestOfflineViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var borrowed, owned protocol.View
		h := handlers.Chain(
			handlers.On(func(_ *handlers.Session, e *protocol.Header) handlers.Reply {
				borrowed = e.Value
				return handlers.Continue
			}),
			handlers.Go(func(_ *handlers.Session, e *protocol.Header) handlers.Reply {
				owned = e.Value
				return handlers.Continue
			}),
		)
		p := &probe{t: t}
		p.start(Config{}, handlers.Shared(h))
		want(t, "answers", p.feed("O M L"), "Oc")
		want(t, "borrowed", string(borrowed), "??")
		want(t, "owned", string(owned), "hi")
	})
}

func TestOfflineFeedError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, everything, replies{handlers.KindConnect: always(handlers.Discard)})
		if err := p.Feed(packets("O C H")); !errors.Is(err, protocol.ErrStatusNotAllowed) {
			t.Errorf("first: %v", err)
		}
		if err := p.Feed(packets("M")); err != nil {
			t.Errorf("good again: %v", err)
		}
		if err := p.Feed([]byte{0, 0, 0, 0}); !errors.Is(err, protocol.ErrPacketEmpty) {
			t.Errorf("empty packet: %v", err)
		}
		if err := p.Feed(packets("Q")); !errors.Is(err, handlers.ErrSessionClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestOfflineHangUp(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		err  error
		want string
	}{
		{"between packets", packets("O"), nil, "finished"},
		{"in a packet", packets("O M")[:20], nil, "error(none,end) finished(end)"},
		{"reset", packets("O"), io.ErrClosedPipe, "error(none,io) finished(io)"},
		{"reset in a packet", packets("O M")[:20], io.ErrClosedPipe, "error(none,io) finished(io)"},
		{"in a message", packets("O M"), nil, "abort(envelope-from-replied) finished"},
		{"before the offer", nil, nil, "finished"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, handlers.Of(handlers.KindError, handlers.KindAbort, handlers.KindFinished), nil)
				_ = p.Feed(tt.in)
				p.HangUp(tt.err)
				want(t, "events", p.events(), tt.want)
				p.HangUp(nil) // again: nothing
				want(t, "events", p.events(), "")
			})
		})
	}
}

// A tool may put a session into any state.
func TestOfflineControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{}, brief, nil)
		p.Control().Update(func(f *handlers.Facts) {
			f.State = protocol.StateHeaderReplied
			f.Options = protocol.Options{Version: 6, Actions: protocol.ActionsAll}
		})
		if s := p.Session(); !s.InMessage() || s.Options().Version != 6 {
			t.Errorf("in message %v, options %+v", s.InMessage(), s.Options())
		}
		want(t, "answers", p.feed("N B E"), "ccc")
		want(t, "events", p.events(), "end-of-header body end-of-message")
		if n := p.Writes(); n != 1 {
			t.Errorf("%d writes", n)
		}
	})
}

// A session that has ended, and the system it had for itself, are freed: nothing that
// lives on knows them.
func TestOfflineIsFreed(t *testing.T) {
	system := func() weak.Pointer[System] {
		o, err := NewOffline(Config{Log: quiet}, handlers.Shared(handlers.Chain()))
		if err != nil {
			t.Fatal(err)
		}
		_ = o.Feed(packets("O C M"))
		o.HangUp(nil)
		return weak.Make(o.sys)
	}()
	for range 100 { // timers and goroutines that end take a moment
		runtime.GC()
		if system.Value() == nil {
			return
		}
	}
	t.Error("the system is still there")
}
