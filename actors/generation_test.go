package actors

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// replying returns a handler that answers the name of an SMTP client with a status.
func replying(r handlers.Reply) handlers.Handler {
	return handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply { return r })
}

// testGeneration returns a generation without handlers.
func testGeneration(t *testing.T) *generation {
	t.Helper()
	g, err := newGeneration(Config{}, handlers.Shared(handlers.Chain()))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// isClosed reports whether c is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// swap swaps without an error.
func swap(t *testing.T, s *System, cfg Config, h handlers.Handler) <-chan struct{} {
	t.Helper()
	unused, err := s.Swap(cfg, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	return unused
}

// A session keeps its handlers to the end of its connection, for each client on it. New
// sessions have the new ones, and the old are unused when the last session has ended.
func TestSwap(t *testing.T) {
	r := openRig(t, Config{}, handlers.Shared(replying(handlers.Reject)), &probe{t: t})
	want(t, "before", r.feed("O C H"), "Ocr")
	first := swap(t, r.sys, Config{}, replying(handlers.TempFail))
	want(t, "the next client", r.feed("K C H"), "cr")
	want(t, "a new agreement", r.feed("K O C H"), "Ocr")

	c := &fakeConn{t: t}
	c.link = r.loop.Open(c, "fake")
	c.link.Feed(packets("O C H"))
	want(t, "a new session", c.codes(), "Oct")
	second := swap(t, r.sys, Config{}, replying(handlers.Continue))
	c.link.Lost(nil, false)
	if !isClosed(second) || isClosed(first) {
		t.Errorf("unused: second %v, first %v", isClosed(second), isClosed(first))
	}
	r.feed("Q")
	if !isClosed(first) {
		t.Error("the first handlers are still in use")
	}
	if third := swap(t, r.sys, Config{}, replying(handlers.Continue)); !isClosed(third) {
		t.Error("handlers that no session had are in use")
	}
	r.sys.Stop()
}

// A session that panics lets go of its handlers too.
func TestSwapPanic(t *testing.T) {
	r := openRig(t, Config{Log: slog.New(&logbook{panic: true})}, handlers.Shared(replying(handlers.Continue)), &probe{t: t})
	unused := swap(t, r.sys, Config{}, replying(handlers.Continue))
	r.link.Feed(packets("E")) // is reported
	if n := r.sys.Len(); n != 0 || !isClosed(unused) {
		t.Errorf("%d sessions, unused %v", n, isClosed(unused))
	}
}

// The settings are those of the beginning of a session, but for what is of all.
func TestSwapSettings(t *testing.T) {
	log := slog.New(new(logbook))
	r := openRig(t, Config{Log: log, MaxPacketSize: 100, PacketBuffer: 10}, handlers.Shared(replying(handlers.Continue)), &probe{t: t})
	swap(t, r.sys, Config{Log: quiet, MaxPacketSize: 200, PacketBuffer: 20, MaxWorkers: 7}, replying(handlers.Continue))
	c := &fakeConn{t: t}
	c.link = r.loop.Open(c, "fake")
	if old, now := r.link.MaxPacketSize(), c.link.MaxPacketSize(); old != 100 || now != 200 {
		t.Errorf("packets of %d and %d bytes", old, now)
	}
	for link, size := range map[Link]int{r.link: 10, c.link: 20} {
		if got := link.(*session).control.Facts().PacketBuffer; got != size {
			t.Errorf("the buffer is of %d bytes, want %d", got, size)
		}
	}
	if r.sys.current.cfg.Log != log || r.sys.workers.max != 7 {
		t.Errorf("another log, or %d workers", r.sys.workers.max)
	}
}

// What cannot be changes nothing.
func TestSwapMistakes(t *testing.T) {
	r := openRig(t, Config{MaxPacketSize: 100}, handlers.Shared(replying(handlers.Reject)), &probe{t: t})
	if _, err := r.sys.Swap(Config{}, nil); !errors.Is(err, handlers.ErrNull) {
		t.Errorf("no factory: %v", err)
	}
	_, err := r.sys.Swap(Config{MaxPacketSize: -1}, handlers.Shared(replying(handlers.Continue)))
	if !errors.Is(err, protocol.ErrInvalidArgument) || !strings.Contains(err.Error(), "MaxPacketSize") {
		t.Errorf("a negative size: %v", err)
	}
	c := &fakeConn{t: t}
	c.link = r.loop.Open(c, "fake")
	c.link.Feed(packets("O C H"))
	want(t, "a new session", c.codes(), "Ocr")
	if n := c.link.MaxPacketSize(); n != 100 {
		t.Errorf("packets of %d bytes", n)
	}
}

// A function that goes on when its session has ended still uses its handlers.
func TestSwapFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handlers.On(func(*handlers.Session, *protocol.Helo) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				time.Sleep(time.Minute) // it does not care for its context
				return handlers.Continue
			})
		})
		r := openRig(t, Config{}, handlers.Shared(h), &probe{t: t})
		r.feed("O C H")
		unused := swap(t, r.sys, Config{}, replying(handlers.Continue))
		r.link.Lost(nil, false)
		r.tick(time.Second)
		if n := r.sys.Len(); n != 0 || isClosed(unused) {
			t.Errorf("%d sessions; unused while a function runs: %v", n, isClosed(unused))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.conn.run()
		if !isClosed(unused) {
			t.Error("still in use")
		}
	})
}

// More functions may run at once, and those that wait begin; or fewer, and those that
// run go on.
func TestWorkersLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, g := &workers{max: 1}, testGeneration(t)
		var done atomic.Int32
		for range 6 {
			w.start(g, func() {
				time.Sleep(time.Second)
				done.Add(1)
			})
		}
		w.limit(3)
		w.limit(1)
		for _, wanted := range []int32{3, 4, 5, 6} {
			time.Sleep(time.Second)
			synctest.Wait()
			if n := done.Load(); n != wanted {
				t.Errorf("%d are done, want %d", n, wanted)
			}
		}
		<-w.idle()
	})
}
