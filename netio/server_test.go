package netio

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// TestServe does a message over each kind of address.
func TestServe(t *testing.T) {
	for name, listen := range map[string]string{
		"inet": "inet:0@127.0.0.1", "postfix": "inet:127.0.0.1:0", "inet6": "inet6:0@::1", "unix": tempSocket(t),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "inet6" && !hasInet6() {
				t.Skip("no IPv6 here")
			}
			s, _ := serve(t, Config{Listen: []string{listen}}, handlers.Shared(everything()))
			c := dial(t, s)
			for range 3 {
				final, changes := message(t, c)
				if final.Status() != protocol.StatusAccept || len(changes) != 1 || string(changes[0].Name) != "X-Test" {
					t.Errorf("answer %v, changes %v", final.Status(), changes)
				}
			}
			infos := s.Sessions()
			if len(infos) != 1 || infos[0].Messages != 3 || infos[0].In == 0 || infos[0].Out == 0 ||
				infos[0].State != protocol.StateEndOfMessageReplied || infos[0].Listener != listen {
				t.Errorf("sessions %+v", infos)
			}
		})
	}
}

func hasInet6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

// TestPanic checks that a handler that panics costs its message and nothing else.
func TestPanic(t *testing.T) {
	s, log := serve(t, Config{}, handlers.Shared(handlers.On(func(s *handlers.Session, _ *handlers.Message) handlers.Reply {
		if s.Result().From == "<a@example.com>" {
			panic("at the disco")
		}
		return handlers.Accept
	})))
	c, other := dial(t, s), dial(t, s)
	if final, _ := message(t, c); final.Status() != protocol.StatusTempFail {
		t.Errorf("answer %v", final.Status())
	}
	for _, c := range []interface {
		Do(protocol.Command, ...*protocol.Macro) (protocol.Answer, []protocol.Answer, error)
	}{c, other} {
		_, _, err := c.Do(&protocol.MailFrom{Addr: protocol.View("<b@example.com>")})
		mustDo(t, err)
		if final, _, err := c.Do(&protocol.EndOfMessage{}); err != nil || final.Status() != protocol.StatusAccept {
			t.Errorf("next message: %v, %v", final.Status(), err)
		}
	}
	if !strings.Contains(log.String(), "at the disco") {
		t.Errorf("log: %s", log)
	}
}

// TestShutdown checks that a server that stops lets its sessions go on, takes no
// new ones, and closes what is left in the end.
func TestShutdown(t *testing.T) {
	s, _ := serve(t, Config{Listen: []string{tempSocket(t)}}, handlers.Shared(everything()))
	path := s.Addrs()[0].String()
	staying, leaving := dial(t, s), dial(t, s)
	message(t, staying)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	eventually(t, "the socket is gone", func() bool {
		_, err := os.Lstat(path)
		return errors.Is(err, fs.ErrNotExist)
	})
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("a connection was taken")
	}
	message(t, staying)
	message(t, leaving)
	mustDo(t, leaving.Close())
	eventually(t, "one session", func() bool { return s.Len() == 1 })
	select {
	case err := <-done:
		t.Fatalf("over with a session: %v", err)
	default:
	}
	cancel()
	mustDo(t, <-done)
	if _, _, err := staying.Do(&protocol.MailFrom{Addr: protocol.View("<>")}); err == nil {
		t.Error("the session goes on")
	}
}

// TestServeContext checks that the end of the context ends the server.
func TestServeContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	addr := tempSocket(t)
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, addr, handlers.Shared(accepting)) }()
	path := strings.TrimPrefix(addr, "unix:")
	eventually(t, "the server listens", func() bool { _, err := os.Lstat(path); return err == nil })
	cancel()
	mustDo(t, <-done)
}

// TestServeTwice checks that a server serves once.
func TestServeTwice(t *testing.T) {
	s, _ := serve(t, Config{}, handlers.Shared(accepting))
	dial(t, s)
	if err := s.Serve(t.Context()); err == nil {
		t.Error("served twice")
	}
}

// TestShutdownBeforeServe checks that a server that never served can be stopped.
func TestShutdownBeforeServe(t *testing.T) {
	s, err := Listen(Config{Listen: []string{"inet:0@127.0.0.1"}}, handlers.Shared(accepting))
	mustDo(t, err)
	mustDo(t, s.Shutdown(t.Context()))
	if err := s.Serve(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("serve after shutdown: %v", err)
	}
}

// TestStuckHandler checks that a function that does not return is not waited for
// without end.
func TestStuckHandler(t *testing.T) {
	release := make(chan struct{})
	s, _ := serve(t, Config{Sessions: actors.Config{HandlerTimeout: 300 * time.Millisecond}}, handlers.Shared(handlers.Go(
		func(*handlers.Session, *handlers.Message) handlers.Reply {
			<-release
			return handlers.Accept
		})))
	t.Cleanup(func() { close(release) }) // before the server is stopped
	c := dial(t, s)
	if final, _ := message(t, c); final.Status() != protocol.StatusTempFail {
		t.Errorf("answer %v", final.Status())
	}
	mustDo(t, c.Close())
	eventually(t, "the session ends", func() bool { return s.Len() == 0 })
}
