package main

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"millstream/handlers/store/redistest"
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
	address := silentAddress(t)
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

// silentAddress returns an address at which nobody listens.
func silentAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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
