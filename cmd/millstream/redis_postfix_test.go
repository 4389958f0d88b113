package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"millstream/bench/e2e"
	"millstream/handlers/store/redistest"
	"millstream/netio/mta"
	"millstream/protocol"
)

// lostFile asks a Redis about each message, and refuses none of a domain that is known.
// The greylist knows a domain when it comes a second time.
const lostFile = `
[store]
type = "redis"
urls = ["redis://ADDRESS"]
timeout = "250ms"
[[handler]]
type = "greylist"
key = ["network", "sender_domain"]
delay = "1ms"
skip_networks = []
whitelist_after = 0
[[handler]]
type = "ratelimit"
[[handler.limit]]
name = "domain"
key = ["sender_domain"]
what = "messages"
limit = 100000000
window = "24h"
[[handler.limit]]
name = "given-back"
key = ["rcpt_domain"]
what = "recipients"
limit = 100000000
window = "24h"
count = "accepted"
`

// What the log says when Redis has gone, and when it is back.
const (
	lostAway = "redis does not answer"
	lostBack = "redis answers again"
)

// TestPostfixRedisLost has Redis go and come back under load, in each of the ways it can.
// No message is lost, refused or deferred for that.
func TestPostfixRedisLost(t *testing.T) {
	noVariables(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	server := redistest.Start(t, "--port", port, "--bind", "127.0.0.1")
	f := serveFlags{file: configFile(t, strings.Replace(lostFile, "ADDRESS", address, 1)), admin: "127.0.0.1:0", adminGiven: true}
	postfix, s := behindPostfix(t, f, nil)
	r := &lostRig{t: t, postfix: postfix, s: s, metrics: "http://" + adminAddress(t, s) + "/metrics"}
	r.becomesKnown()
	stop := r.load()
	defer stop()

	var noise func() (heard int64)
	outages := []struct {
		name       string
		away, back func()
	}{
		{"killed", server.Kill, server.Run},
		{"hanging", func() { server.Signal(syscall.SIGSTOP) }, func() { server.Signal(syscall.SIGCONT) }},
		{"noise", func() { server.Kill(); noise = lostNoise(t, address) }, func() {
			if noise() == 0 {
				t.Error("nobody heard the noise")
			}
			server.Run()
		}},
	}
	for i, o := range outages {
		t.Log(o.name)
		r.goesOn(i, i)
		o.away()
		r.takesNew(fmt.Sprint("early", i)) // before it is known that Redis has gone
		r.until("store_fallback 1")
		r.takesNew(fmt.Sprint("late", i))
		r.goesOn(i+1, i)
		o.back()
		r.until("store_fallback 0")
		r.goesOn(i+1, i+1)
		r.takesNew(fmt.Sprint("late", i)) // who came meanwhile is not new any more
		r.defersNew(i)
	}
	stop()
	t.Logf("%d letters through Postfix, %d messages past it", r.letters.Load(), r.messages.Load())
	postfix.WaitAll(t, "", int(r.letters.Load()))
	s.stop(t)
	r.logged(len(outages), len(outages))
}

// lostNoise listens in place of Redis and says what that would not. The function ends
// that, and returns how many have heard it.
func lostNoise(t *testing.T, address string) (end func() int64) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var heard int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			heard++
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n\x00\xff:1\r\n$99999999999\r\n")) // the other side may have had enough
			_ = c.Close()
		}
	}()
	end = func() int64 {
		_ = l.Close()
		<-done
		return heard
	}
	t.Cleanup(func() { end() })
	return end
}

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
	replies, taken := r.postfix.Send(e2e.Letter{
		From: "from@" + domain, To: []string{"to@to.test"}, Name: name, Text: []byte("Subject: hi\r\n\r\nHello\r\n"),
	})
	if taken {
		r.letters.Add(1)
	}
	return strings.Join(replies, "; "), taken
}

// becomesKnown makes the greylist know the domains of the load.
func (r *lostRig) becomesKnown() {
	r.t.Helper()
	waitFor(r.t, "Postfix's clients are known", func() bool { _, taken := r.send("load0.test"); return taken })
	waitFor(r.t, "Postfix's clients are known", func() bool { _, taken := r.send("load1.test"); return taken })
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
