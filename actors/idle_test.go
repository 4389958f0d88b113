package actors

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// ends is what the end of a session tells.
var ends = handlers.Of(handlers.KindError, handlers.KindTimeout, handlers.KindAbort, handlers.KindMessageProcessed, handlers.KindFinished)

// A silent MTA is closed, in a fixed order of events.
func TestTimeout(t *testing.T) {
	tests := []struct {
		name, in string
		after    time.Duration
		events   string
	}{
		{"before the offer", "", 30 * time.Second, "error(none,timeout) timeout finished(timeout)"},
		{"macros are no offer", "DC", 30 * time.Second, "error(none,timeout) timeout finished(timeout)"},
		{"a client without an offer", "K", 30 * time.Second, "error(none,timeout) timeout finished(timeout)"},
		{"after the offer", "O", 7210 * time.Second, "error(none,timeout) timeout finished(timeout)"},
		{"in a message", "O M", 7210 * time.Second, "error(none,timeout) timeout " +
			"abort(envelope-from-replied) message-processed(abort) finished(timeout)"},
		{"after a message", "O M E", 7210 * time.Second, "error(none,timeout) timeout finished(timeout)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{}, ends, nil)
				p.feed(tt.in)
				p.events()
				p.after(tt.after - time.Millisecond)
				want(t, "before", p.events(), "")
				p.after(tickEvery + time.Millisecond)
				want(t, "events", p.events(), tt.events)
				if err := p.Feed(packets("Q")); !errors.Is(err, handlers.ErrSessionClosed) {
					t.Errorf("after: %v", err)
				}
			})
		})
	}
}

// Whole packets count, pieces of one do not; before the offer nothing else does.
func TestTimeoutRestarts(t *testing.T) {
	tests := []struct {
		name, first string
		every       time.Duration
		piece       []byte
		survives    bool
	}{
		{"packets", "O", 50 * time.Second, packets("DM"), true},
		{"pieces", "O", 50 * time.Second, []byte{0}, false},
		{"macros before the offer", "", 20 * time.Second, packets("DM"), false},
		{"quits before the offer", "", 20 * time.Second, packets("K"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{Timeout: time.Minute}, ends, nil)
				p.feed(tt.first)
				for range 4 {
					_ = p.Feed(tt.piece)
					p.after(tt.every)
				}
				if alive := p.sys.Len() == 1; alive != tt.survives {
					t.Errorf("alive %v: %s", alive, p.events())
				}
			})
		})
	}
}

// A session may change its time for itself, or a configuration switch it off.
func TestTimeoutSet(t *testing.T) {
	for _, long := range []time.Duration{0, math.MaxInt64} {
		testTimeoutSet(t, long)
	}
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{Timeout: -1, NegotiateTimeout: -1}, brief, nil)
		p.after(10 * time.Minute)
		want(t, "offer", p.feed("O"), "O")
		p.after(3 * time.Hour)
		want(t, "helo", p.feed("H"), "c")
	})
}

func testTimeoutSet(t *testing.T, long time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t, Config{Timeout: time.Minute}, brief, replies{
			handlers.KindHelo: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
				s.SetTimeout(long)
				return handlers.Continue
			},
			handlers.KindEnvelopeFrom: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
				s.SetTimeout(time.Second)
				return handlers.Continue
			},
		})
		p.feed("O H")
		want(t, "for ever", p.after(10*time.Minute)+p.feed("M"), "c")
		p.after(2 * time.Second)
		if p.sys.Len() != 0 {
			t.Error("still there")
		}
	})
}

// The time of the MTA does not run while an answer is pending, and begins anew
// after it, also before the offer.
func TestTimeoutPending(t *testing.T) {
	for _, tt := range []struct {
		kind         handlers.Kind
		script, next string
	}{
		{handlers.KindEstablished, "", "O"},
		{handlers.KindHelo, "O H", "M"},
		{handlers.KindNegotiate, "O", "M"},
		{handlers.KindMessageProcessed, "O M E", "M"},
	} {
		t.Run(tt.kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				work := func(s *handlers.Session, _ handlers.Event) handlers.Reply {
					return handlers.Async(sleeper(100 * time.Second))
				}
				p := newProbe(t, Config{Timeout: time.Minute}, everything, replies{tt.kind: work})
				p.feed(tt.script)
				p.after(100*time.Second + 25*time.Second)
				if got := p.feed(tt.next); len(got) != 1 {
					t.Errorf("answer %q; %s", got, p.events())
				}
			})
		})
	}
}

// A function that is told of the end may take its time; the order stays.
func TestTimeoutBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{t: t, wants: handlers.Wants{Events: ends}}
		p.start(Config{Timeout: time.Minute}, handlers.Shared(handlers.Blocking(p)))
		p.feed("O M")
		p.after(2 * time.Minute)
		want(t, "events", p.events(), "error(none,timeout) timeout abort(envelope-from-replied) message-processed(abort) finished(timeout)")
	})
}
