package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// At most so many functions run at once; the others wait in order.
func TestWorkers(t *testing.T) {
	for _, limit := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			const n = 10
			w, g := &workers{max: limit}, testGeneration(t)
			var order []int
			running, most := 0, 0
			lock := make(chan struct{}, 1)
			for i := range n {
				w.start(g, func() {
					lock <- struct{}{}
					order = append(order, i)
					running++
					most = max(most, running)
					<-lock
					time.Sleep(time.Second)
					lock <- struct{}{}
					running--
					<-lock
				})
				synctest.Wait()
			}
			start := time.Now()
			<-w.idle()
			seconds, together := 1, n
			if limit > 0 {
				seconds, together = (n+limit-1)/limit, limit
			}
			if most != together || time.Since(start).Seconds() != float64(seconds) {
				t.Errorf("limit %d: %d at once, done after %v", limit, most, time.Since(start))
			}
			if limit != 3 { // those that wake at the same time begin in any order
				want(t, "order", fmt.Sprint(order), "[0 1 2 3 4 5 6 7 8 9]")
			}
			<-w.idle()
			if w.waiting != nil || w.running != 0 {
				t.Errorf("%d wait, %d run", len(w.waiting), w.running)
			}
		})
	}
}

// The limit holds for all sessions of a system together.
func TestMaxWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handlers.Go(func(s *handlers.Session, _ *protocol.Helo) handlers.Reply {
			return handlers.Async(sleeper(time.Second))
		})
		r := openRig(t, Config{MaxWorkers: 2}, handlers.Shared(h), &probe{t: t})
		conns := []*fakeConn{r.conn, {t: t}, {t: t}, {t: t}, {t: t}}
		links := []Link{r.link}
		for _, c := range conns[1:] {
			links = append(links, r.loop.Open(c, ""))
		}
		for _, l := range links {
			l.Feed(packets("O H"))
		}
		answered := func() (list []string) {
			for _, c := range conns {
				c.run()
				list = append(list, c.codes())
			}
			return list
		}
		want(t, "at first", strings.Join(answered(), " "), "O O O O O")
		for _, wanted := range []string{"c c   ", "  c c ", "    c"} {
			time.Sleep(time.Second)
			synctest.Wait()
			want(t, "answers", strings.Join(answered(), " "), wanted)
		}
		for _, l := range links {
			l.Lost(nil, false)
		}
	})
}

// A signal goes to all that wait for it, and to those that come when it is time.
func TestSignal(t *testing.T) {
	var s signal
	first, second := s.when(false), s.when(false)
	s.send()
	<-first
	<-second
	third := s.when(false)
	select {
	case <-third:
		t.Error("sent before")
	default:
	}
	<-s.when(true)
	<-third
	s.send() // nobody waits
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := await(ctx, s.when(false)); !errors.Is(err, context.Canceled) {
		t.Errorf("await: %v", err)
	}
}
