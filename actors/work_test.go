package actors

import (
	"context"
	"reflect"
	"runtime"
	"testing"

	"millstream/handlers"
)

// A session has work in hand while it waits for an answer, and none while it waits for
// its MTA. What it gives back says nothing of it any more.
func TestWorkLent(t *testing.T) {
	var answer handlers.Resolve
	r := newRig(t, Config{}, everything, replies{
		handlers.KindHelo: func(*handlers.Session, handlers.Event) handlers.Reply {
			return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) { answer = resolve })
		},
	})
	for _, step := range []struct {
		script string
		hand   bool
	}{{"O C", false}, {"H H DM", true}, {"", false}, {"M R L B E", false}, {"M B DB", false}, {"Q", false}} {
		if r.feed(step.script); step.script == "" { // both of them
			for r.session().hold != holdNothing {
				if err := answer(handlers.Continue); err != nil {
					t.Fatal(err)
				}
				r.conn.run()
			}
		}
		if has := r.session().work != nil; has != step.hand {
			t.Errorf("after %q: work in hand %v", step.script, has)
		}
		for _, w := range r.loop.spare {
			clean := *w
			if clean.plan = nil; !reflect.ValueOf(clean).IsZero() || len(w.plan) > 0 {
				t.Errorf("after %q: given back %+v", step.script, *w)
			}
		}
	}
}

// Sessions that wait at the same time have a work each, of which the loop keeps a few.
func TestWorkSpare(t *testing.T) {
	pending := handlers.Progress(func(context.Context, handlers.Resolve) {})
	r := newRig(t, Config{}, everything, replies{handlers.KindHelo: always(pending)})
	links := make([]Link, 2*maxSpare)
	works := make(map[*work]bool)
	for i := range links {
		links[i] = r.loop.Open(&fakeConn{t: t}, "test")
		links[i].Feed(packets("O H"))
		works[links[i].(*session).work] = true
	}
	if len(works) != len(links) || works[nil] {
		t.Errorf("%d works of %d sessions", len(works), len(links))
	}
	for _, l := range links {
		l.Lost(nil, false)
	}
	if n := len(r.loop.spare); n != maxSpare {
		t.Errorf("%d are kept", n)
	}
}

// A session that waits for its MTA needs little: there are many of them.
func TestIdleMemory(t *testing.T) {
	if raceDetector {
		t.Skip("what the race detector needs would count")
	}
	for _, tt := range []struct {
		in   string
		most uint64 // bytes
	}{{"O DC C DH H", 1200}, {"O DC C DH H DM M DR R L B E", 1350}} {
		const n = 1000
		sys, loop, _, _ := openNull(t, filter())
		links, conns := make([]Link, n), make([]nullConn, n)
		in, before := packets(tt.in), heap()
		for i := range links {
			links[i] = loop.Open(&conns[i], "test")
			links[i].Feed(in)
		}
		if each := (heap() - before) / n; each > tt.most {
			t.Errorf("after %q: %d bytes, want at most %d", tt.in, each, tt.most)
		}
		runtime.KeepAlive(links)
		runtime.KeepAlive(sys)
	}
}
