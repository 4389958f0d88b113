package bench

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/handlers/store"
	"millstream/handlers/store/redis"
	"millstream/handlers/store/redistest"
	"millstream/protocol"
)

// A limitMachine is a server with limits that it shares.
type limitMachine struct {
	t       *testing.T
	store   *redis.Store
	key     string // that the filter counts last
	session *actors.Offline
	log     handlertest.Log
	passed  int64 // recipients
}

// logged returns how often a text was logged.
func (m *limitMachine) logged(text string) int { return strings.Count(m.log.String(), text) }

var limitWindow = store.Window{Length: 1000 * time.Hour} // no test runs into the end of one

// newLimitMachine returns a server whose users may have so many recipients.
func newLimitMachine(t *testing.T, shared *redistest.Server, limit int, cfg redis.Config) *limitMachine {
	t.Helper()
	m := &limitMachine{t: t}
	cfg.Addresses, cfg.Log = []string{shared.Socket}, slog.New(slog.NewTextHandler(&m.log, nil))
	var err error
	if m.store, err = redis.Open(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.store.Close(); err != nil {
			t.Error(err)
		}
	})
	settings := &ratelimit.Settings{Limits: []ratelimit.Limit{
		{Name: "user", Key: []string{"auth_user"}, What: "recipients", Limit: limit, Window: limitWindow.Length, WindowType: "fixed"},
	}}
	h, err := ratelimit.New(settings, nil, limitKeys{m.store, m}, nil, cfg.Log)
	if err != nil {
		t.Fatal(err)
	}
	if m.session, err = actors.NewOffline(actors.Config{Log: cfg.Log, SlowInline: -1}, handlers.Shared(handlers.Named("limit", h))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.session.HangUp(nil) })
	answersTo(t, m.session, &protocol.Negotiate{Offer: protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}})
	return m
}

// limitKeys notes which keys a filter counts.
type limitKeys struct {
	store.Counters
	m *limitMachine
}

// Take implements store.Counters.
func (k limitKeys) Take(ctx context.Context, key string, n, limit int64, w store.Window) (store.Total, bool) {
	k.m.key = key
	return k.Counters.Take(ctx, key, n, limit, w)
}

// send sends a mail of alice to one recipient, and reports whether it was taken. One
// that is over the limit is refused as it should be.
func (m *limitMachine) send() bool {
	m.t.Helper()
	rcpt := answersTo(m.t, m.session, protocol.NewMacro(protocol.CodeMailFrom, "auth_authen", "alice"),
		&protocol.MailFrom{Addr: protocol.View("<alice@example.com>")}, &protocol.RcptTo{Addr: protocol.View("<bob@example.net>")})
	if len(rcpt) == 1 && strings.HasPrefix(rcpt[0], "reply-text 450 4.7.1 limit of ") {
		answersTo(m.t, m.session, &protocol.Abort{})
		return false
	}
	if end := answersTo(m.t, m.session, &protocol.EndOfMessage{}); !slices.Equal(rcpt, []string{"continue"}) || !slices.Equal(end, rcpt) {
		m.t.Fatalf("answers %q, %q", rcpt, end)
	}
	m.passed++
	return true
}

// knows returns how much alice has sent, as far as m knows.
func (m *limitMachine) knows() int64 {
	return m.store.Incr(m.t.Context(), m.key, 0, limitWindow).N
}

// Two servers hold one limit. It is overrun by what the other one lets pass between two
// exchanges, and by no more. Here nothing is exchanged but when the test says so.
func TestLimitShared(t *testing.T) {
	const limit, most = 100, 7 // mails between two exchanges
	server := redistest.Start(t)
	var machines [2]*limitMachine
	for i := range machines {
		machines[i] = newLimitMachine(t, server, limit, redis.Config{Flush: 24 * time.Hour, Timeout: redistest.Patience})
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		for _, m := range machines {
			for range 1 + random.IntN(most) {
				m.send()
			}
		}
		for range 2 { // the first has to hear what the last has told
			for _, m := range machines {
				m.knows()
				if _, there := m.store.Get(t.Context(), "nobody"); there { // asks at once
					t.Fatal("there is a mark that nobody has made")
				}
			}
		}
	}
	passed := machines[0].passed + machines[1].passed
	if passed < limit || passed > limit+most {
		t.Errorf("%d passed, want %d to %d", passed, limit, limit+most)
	}
	for i, m := range machines {
		if m.passed < limit/4 || m.send() {
			t.Errorf("machine %d let %d pass and has not stopped, or had no share", i, m.passed)
		}
	}
	t.Logf("%d of %d passed", passed, limit)
}

// Redis is killed, comes back without its data, hangs and goes on, while mail is sent.
// All mail is within the limit, and none is refused or left without an answer. Nothing
// that was counted is lost: another server knows of all afterwards.
func TestLimitOutage(t *testing.T) {
	server := redistest.Start(t)
	cfg := redis.Config{Timeout: 100 * time.Millisecond, Retry: 20 * time.Millisecond}
	a, b := newLimitMachine(t, server, 1<<40, cfg), newLimitMachine(t, server, 1<<40, cfg)
	mails := func() {
		for i := range 20 {
			if m := []*limitMachine{a, b}[i%2]; !m.send() {
				t.Fatal("mail within the limit was refused")
			}
		}
	}
	again := func(text string) func() bool { // both have logged it after this, and send mail until then
		inA, inB := a.logged(text), b.logged(text)
		return func() bool {
			mails()
			return a.logged(text) > inA && b.logged(text) > inB
		}
	}
	agree := func() bool { return a.knows() == a.passed+b.passed && b.knows() == a.passed+b.passed }
	mails()
	redistest.Eventually(t, "both know what both have sent", agree)

	outages := []struct {
		begin, end func()
	}{
		{server.Kill, server.Run},
		{func() { server.Signal(syscall.SIGSTOP) }, func() { server.Signal(syscall.SIGCONT) }},
		{server.Kill, server.Run},
	}
	for i, outage := range outages {
		away, back, begun := again("redis does not answer"), again("redis answers again"), a.passed
		outage.begin()
		redistest.Eventually(t, "it is told that Redis has gone", away)
		outage.end()
		redistest.Eventually(t, "it is told that Redis is back", back)
		redistest.Eventually(t, "both know what both have sent", agree)
		t.Logf("outage %d: %d mails by each server", i+1, a.passed-begun)
	}

	total := a.passed + b.passed
	c := newLimitMachine(t, server, int(total), cfg)
	c.key = a.key
	redistest.Eventually(t, "another server knows of all", func() bool { return c.knows() == total })
	if c.send() {
		t.Errorf("more than %d passed", total)
	}
}
