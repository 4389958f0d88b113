package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"millstream/bench/e2e"
	"millstream/handlers/store/redistest"
)

// sharedFile is a limit that servers share.
const sharedFile = `
[store]
type = "redis"
urls = ["unix://SOCKET"]
timeout = "100ms"
[[handler]]
type = "ratelimit"
[[handler.limit]]
name = "domain"
key = ["sender_domain"]
what = "messages"
limit = 500
window = "24h"
`

// What sharedFile says, and what package store/redis says of it: a limit is overrun by
// what the others count until it shows here, which is an exchange of each machine, and an
// exchange takes 5 ms and a round trip. One that takes longer than the time-out fails, and
// is no exchange.
const (
	sharedLimit = 500
	sharedLate  = 2 * (5 + 100) * time.Millisecond
)

// TestPostfixTwoNodes runs the program twice, each with a Postfix of its own and both with
// one Redis. They take as much as the limit says between them, and no more over that than
// is documented.
func TestPostfixTwoNodes(t *testing.T) {
	noVariables(t)
	redis := redistest.Start(t)
	file := configFile(t, strings.Replace(sharedFile, "SOCKET", redis.Socket, 1))
	nodes := []*sharedNode{startSharedNode(t, file), startSharedNode(t, file)}
	var clients sync.WaitGroup
	for i, n := range nodes {
		clients.Go(func() { n.sendUntilRefused(t, i) })
	}
	clients.Wait()
	taken, overrun := 0, 0
	for i, n := range nodes {
		taken += len(n.taken)
		overrun = max(overrun, n.most(sharedLate))
		if len(n.taken) == 0 || len(n.taken) >= sharedLimit {
			t.Errorf("node %d took %d: it is one of two", i, len(n.taken))
		}
		n.postfix.WaitAll(t, "shared", len(n.taken))
	}
	if taken < sharedLimit || taken > sharedLimit+overrun {
		t.Errorf("%d were taken, want %d to %d", taken, sharedLimit, sharedLimit+overrun)
	}
	for i, n := range nodes { // both have heard of all
		if answer, taken := n.send("late"); taken {
			t.Errorf("node %d: %s", i, answer)
		}
		_ = n.program.Process.Signal(syscall.SIGTERM)
		if status := n.program.exit(); status != 0 || strings.Contains(n.program.log(), lostAway) {
			t.Errorf("node %d ended with %d:\n%s", i, status, n.program.log())
		}
	}
	t.Logf("%d and %d were taken, %d over the limit; up to %d may be", len(nodes[0].taken), len(nodes[1].taken), taken-sharedLimit, overrun)
}

// A sharedNode is a Postfix and the program that it asks.
type sharedNode struct {
	postfix *e2e.Postfix
	program *program
	taken   []time.Time // when letters were
}

// startSharedNode starts a node that serves a file.
func startSharedNode(t *testing.T, file string) *sharedNode {
	t.Helper()
	socket := filepath.Join(e2e.SocketDir(t), "milter")
	n := &sharedNode{postfix: e2e.StartPostfix(t, &net.UnixAddr{Name: socket, Net: "unix"})}
	n.program = start(t, "serve", "-c", file, "-p", "unix:"+socket, "--unix-mode", "0666", "--log-format", "text")
	n.program.until(t, "INPUT_MAIL_FILTER")
	return n
}

// send sends a letter and returns the replies to it.
func (n *sharedNode) send(name string) (answer string, taken bool) {
	replies, taken := n.postfix.Send(e2e.Letter{From: "from@shared.test", To: []string{"to@to.test"}, Name: name})
	return strings.Join(replies, "; "), taken
}

// sendUntilRefused sends letters one after the other until one is over the limit.
func (n *sharedNode) sendUntilRefused(t *testing.T, node int) {
	for i := range 2*sharedLimit + 1 {
		answer, taken := n.send(fmt.Sprintf("shared%d of node %d", i, node))
		if !taken {
			if want := "450 4.7.1 limit of 500 messages in 24h is reached"; !strings.HasPrefix(answer, want) {
				t.Errorf("node %d: %s, want %s", node, answer, want)
			}
			return
		}
		n.taken = append(n.taken, time.Now())
	}
	t.Errorf("node %d has no limit", node)
}

// most returns how many letters were taken at most in some time.
func (n *sharedNode) most(in time.Duration) (most int) {
	from := 0
	for to, at := range n.taken {
		for at.Sub(n.taken[from]) > in {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}
