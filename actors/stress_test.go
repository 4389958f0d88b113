package actors

import (
	"context"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// An auditor is the handler of one connection. It has no lock: that no two of its
// functions run at once is what it is there to see, with the race detector.
type auditor struct {
	t        *testing.T
	seed     uint64
	rand     *rand.Rand
	busy     bool
	messages int // begun and not ended
	finished bool
}

func (a *auditor) Wants() handlers.Wants {
	return handlers.Wants{Events: everything, Replies: everything} // it may leave the loop anywhere
}

func (a *auditor) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	a.check(ev)
	if a.rand.IntN(2) == 0 {
		return a.verdict()
	}
	pauses, deaf := a.rand.IntN(50), a.rand.IntN(2) == 0
	m, _ := ev.(*handlers.Message)
	return handlers.Async(func(ctx context.Context) handlers.Reply {
		a.enter()
		defer a.leave()
		for range pauses {
			runtime.Gosched()
			if !deaf && ctx.Err() != nil {
				return handlers.Reply{}
			}
			if m != nil {
				m.ReplaceBody(make([]byte, 1000))
			}
		}
		return a.verdict()
	})
}

func (a *auditor) enter() {
	if a.busy {
		a.t.Errorf("seed %d: two functions run at once", a.seed)
	}
	a.busy = true
}

func (a *auditor) leave() { a.busy = false }

// check looks whether an event may come now.
func (a *auditor) check(ev handlers.Event) {
	a.enter()
	defer a.leave()
	if a.finished {
		a.t.Errorf("seed %d: %s after the end", a.seed, nameOf(ev))
	}
	switch ev.(type) {
	case *protocol.MailFrom:
		a.messages++
	case *handlers.Result:
		a.messages = 0 // one that was given up before it could be told of ends here, too
	case *handlers.Finished:
		a.finished = true
	}
	if a.messages > 1 {
		a.t.Errorf("seed %d: a message begins in another", a.seed)
	}
}

func (a *auditor) verdict() handlers.Reply {
	if a.rand.IntN(20) == 0 {
		return handlers.Reject
	}
	return handlers.Continue
}

// A stressConn is a connection of a loop that runs for itself.
type stressConn struct {
	nullConn
	posts  chan func()
	closed bool
}

func (c *stressConn) Close(time.Duration)  { c.closed = true }
func (c *stressConn) RemoteAddr() net.Addr { return &net.UnixAddr{} }

func (c *stressConn) Post(f func()) error {
	c.posts <- f
	return nil
}

// Sessions of one loop, with functions on and off it, while MTAs come and go and
// packets come whenever they like: nothing is lost, and nothing is left.
func TestStress(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		stress(t, seed)
		if t.Failed() {
			return
		}
	}
}

// nextPackets returns what an MTA may say at a place in a message, and where it is
// then.
func nextPackets(r *rand.Rand, place int) (script string, next int) {
	switch n := r.IntN(12); {
	case n == 0:
		return "A", 0
	case n == 1:
		return "U", place
	case n == 2:
		return "H", 0
	case n == 3 && r.IntN(3) == 0:
		return "K", 0
	case place == 0:
		return "DM M", 1
	case place == 1:
		return "DR R R2 L", 2
	case place == 2 && n > 5:
		return "N B B", 3
	default:
		return "DE E", 0
	}
}

func stress(t *testing.T, seed uint64) {
	const sessions = 20
	n := uint64(0)
	var auditors []*auditor
	sys, err := NewSystem(Config{Log: quiet, MaxWorkers: 7, MaxOutbound: 5000, PacketBuffer: 2000}, func(*handlers.Session) handlers.Handler {
		n++
		a := &auditor{t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, n))}
		auditors = append(auditors, a)
		return a
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Stop()
	loop := sys.NewLoop()
	posts := make(chan func(), 100000)
	links := make([]Link, sessions)
	conns := make([]*stressConn, sessions)
	for i := range links {
		conns[i] = &stressConn{posts: posts}
		links[i] = loop.Open(conns[i], "stress")
		links[i].Feed(packets("O"))
	}
	r := rand.New(rand.NewPCG(seed, 0))
	places := make([]int, sessions)
	for range 1000 {
		i := r.IntN(sessions)
		var script string
		script, places[i] = nextPackets(r, places[i])
		links[i].Feed(packets(script))
		if r.IntN(200) == 0 {
			links[i].Lost(nil, false)
		}
		for range r.IntN(100) { // let the functions get on
			runtime.Gosched()
		}
		for len(posts) > 0 {
			(<-posts)()
		}
		loop.Tick(time.Now())
	}
	sys.CloseAll()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for sys.Len() > 0 && ctx.Err() == nil {
		select {
		case f := <-posts:
			f()
		case <-ctx.Done():
			t.Errorf("seed %d: %d sessions are left", seed, sys.Len())
		}
	}
	if err := sys.Wait(ctx); err != nil {
		t.Errorf("seed %d: functions: %v", seed, err)
	}
	for i, a := range auditors {
		if a.messages != 0 || !a.finished {
			t.Errorf("seed %d: auditor %d: %d messages, finished %v", seed, i, a.messages, a.finished)
		}
	}
}
