package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"millstream/bench/e2e"
	"millstream/netio/mta"
	"millstream/protocol"
)

// A lostRig is a server under load whose Redis goes and comes.
type lostRig struct {
	t        *testing.T
	postfix  *e2e.Postfix
	s        *served
	metrics  string       // the address of the measurements
	letters  atomic.Int64 // that were taken by Postfix
	messages atomic.Int64 // that were taken without it
}

// send sends a letter through Postfix and returns the reply to it.
func (r *lostRig) send(domain string) (answer string, taken bool) {
	name := fmt.Sprint("lost", r.letters.Load(), " ", domain)
	replies, taken := r.postfix.Send(e2e.Letter{From: "from@" + domain, To: []string{"to@to.test"}, Name: name})
	if taken {
		r.letters.Add(1)
	}
	return strings.Join(replies, "; "), taken
}

// becomesKnown makes the greylist know the domains of the load.
func (r *lostRig) becomesKnown() {
	r.t.Helper()
	for _, domain := range []string{"load0.test", "load1.test"} {
		waitFor(r.t, domain+" is known", func() bool { _, taken := r.send(domain); return taken })
	}
	waitFor(r.t, "those past Postfix are known", func() bool {
		got := deliverFrom(r.t, r.s.socket, lostClient, mail("Q0"))
		return len(got[0].Refused) == 0
	})
}

// lostClient is the client of what does not come through Postfix.
var lostClient = protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.7"), Port: 4711}

// load sends letters through Postfix, and messages past it, until it is stopped. All must
// be taken.
func (r *lostRig) load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for i := range 2 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if answer, taken := r.send("load" + strconv.Itoa(i) + ".test"); !taken {
					r.t.Errorf("through Postfix: %s", answer)
					return
				}
			}
		})
		c := connect(r.t, r.s.socket)
		clients.Go(func() { r.deliver(ctx, c) })
	}
	return func() {
		cancel()
		clients.Wait()
	}
}

// deliver delivers messages as an MTA until ctx ends.
func (r *lostRig) deliver(ctx context.Context, c *mta.Conn) {
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	client := &mta.Client{Connect: protocol.Connect{Host: protocol.View("client.example"), Addr: lostClient}}
	if _, err := c.Greet(client); err != nil {
		r.t.Error(err)
	}
	for ctx.Err() == nil {
		o, err := c.Deliver(mail("Q1"))
		if err != nil || o.Status != protocol.StatusContinue || len(o.Refused) > 0 {
			r.t.Errorf("past Postfix: %+v, %v", o, err)
			return
		}
		r.messages.Add(1)
	}
	_ = c.Send(&protocol.Quit{})
}

// goesOn waits until both kinds of load have gone on, and checks how often Redis was
// said to have gone and to be back.
func (r *lostRig) goesOn(away, back int) {
	r.t.Helper()
	letters, messages := r.letters.Load()+20, r.messages.Load()+200
	waitFor(r.t, "the load goes on", func() bool {
		return r.t.Failed() || r.letters.Load() >= letters && r.messages.Load() >= messages
	})
	r.logged(away, back)
}

// logged checks the lines about Redis.
func (r *lostRig) logged(away, back int) {
	r.t.Helper()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	log := r.s.log.String()
	if a, b := strings.Count(log, lostAway), strings.Count(log, lostBack); a != away || b != back {
		r.t.Fatalf("Redis has gone %d times and come back %d times, want %d and %d:\n%s", a, b, away, back, lostLines(log))
	}
}

// lostLines are the lines of a log that are about no message.
func lostLines(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "msg=message ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// until waits for a measurement.
func (r *lostRig) until(line string) {
	r.t.Helper()
	waitFor(r.t, line, func() bool {
		_, text := fetch(r.t, http.MethodGet, r.metrics)
		return strings.Contains(text, "\n"+line+"\n")
	})
}

// takesNew sends a letter of a domain that is taken.
func (r *lostRig) takesNew(domain string) {
	r.t.Helper()
	if answer, taken := r.send(domain + ".test"); !taken {
		r.t.Errorf("%s: %s", domain, answer)
	}
}

// defersNew waits until those that are new wait again.
func (r *lostRig) defersNew(outage int) {
	r.t.Helper()
	tries := 0
	waitFor(r.t, "the greylist is in force again", func() bool {
		tries++
		answer, taken := r.send(fmt.Sprintf("new%d.outage%d.test", tries, outage))
		return !taken && strings.HasPrefix(answer, "450 4.7.1 greylisted")
	})
}
