package e2e

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"millstream/actors"
	"millstream/handlers"
	"millstream/netio"
)

// A rig is a mail server between the server under test and a sink.
type rig struct {
	mta    *mta
	sink   *sink
	filter *filter
	server *netio.Server

	messages atomic.Int64
	never    []string // messages that must not come
}

// newRig starts everything for one mail server and one kind of socket. It ends
// with the test, and then everything that came is looked at once more.
func newRig(t *testing.T, p program, network string) *rig {
	t.Helper()
	if why := p.missing(); why != "" {
		t.Skip(why)
	}
	r := &rig{sink: startSink(t), filter: newFilter()}
	t.Cleanup(func() { r.audit(t) })
	var addr net.Addr
	r.server, addr = serve(t, network, handlers.Shared(r.filter.handler()))
	r.mta = p.start(t, addr, r.sink.port)
	return r
}

// serve runs the server under test until the end of the test.
func serve(t *testing.T, network string, f handlers.Factory) (*netio.Server, net.Addr) {
	t.Helper()
	spec := "inet:0@127.0.0.1"
	if network == "unix" {
		spec = "unix:" + filepath.Join(SocketDir(t), "milter")
	}
	server, err := netio.Listen(netio.Config{
		Listen:   []string{spec},
		UnixMode: 0o666,
		// A machine that is busy with mail servers holds functions up as well.
		Sessions: actors.Config{SlowInline: -1},
	}, f)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if n := server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	return server, server.Addrs()[0]
}

// audit looks at all that came, when nothing more can: no message came twice to
// one recipient, none that was refused or dropped came at all, and the server
// reported no error.
func (r *rig) audit(t *testing.T) {
	for token, ds := range r.sink.all("") {
		seen := map[string]bool{}
		for _, d := range ds {
			for _, to := range d.To {
				if seen[to.Addr] {
					t.Errorf("message %s came more than once to %s", token, to.Addr)
				}
				seen[to.Addr] = true
			}
		}
	}
	for _, token := range r.never {
		if r.sink.came(token) {
			t.Errorf("message %s came in the end", token)
		}
	}
	for _, err := range r.filter.failed() {
		t.Errorf("the server reported: %v", err)
	}
}

// token returns the name of a new message.
func (r *rig) token() string { return fmt.Sprint("t", r.messages.Add(1)) }

// compose returns a message to one@ and two@to.example.org that the filter
// treats by a plan.
func compose(plan, token string) mail {
	return mail{
		from: fmt.Sprintf("<%s.%s@from.example.org>", plan, token),
		to:   []string{"<one@to.example.org>", "<two@to.example.org>"},
		data: text(
			tokenField+": "+token,
			"From: test@from.example.org",
			"To: test@to.example.org",
			"Date: Thu, 1 Jan 2026 12:00:00 +0000",
			"Message-Id: <"+token+"@from.example.org>",
			"Subject: old subject",
			"X-Many: first",
			"X-Many: second",
			"X-Many: third",
			"",
			"a line",
			".",
			"the last line",
		),
	}
}

// body is the body that compose gives.
const body = "a line\r\n.\r\nthe last line\r\n"

// pass sends a message that must come through, and returns its delivery.
func (r *rig) pass(t *testing.T, plan string) *delivery {
	t.Helper()
	token := r.token()
	r.mta.deliver(t, compose(plan, token))
	return r.sink.wait(t, token)
}

// nothing fails the test if a message came through. It sends another one and
// waits for that, as the first would mostly have come before; [rig.audit] makes
// sure of it.
func (r *rig) nothing(t *testing.T, token string) {
	t.Helper()
	r.never = append(r.never, token)
	r.pass(t, "none")
	if r.sink.came(token) {
		t.Errorf("message %s came through", token)
	}
}
