package netio

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/handlers"
	"millstream/netio/mta"
	"millstream/protocol"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// offer is what Postfix and Sendmail offer.
var offer = protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}

// everything is a filter that answers every event, and adds a header.
func everything() handlers.Handler {
	return handlers.Chain(
		goOn[*protocol.Connect](), goOn[*protocol.Helo](), goOn[*protocol.MailFrom](), goOn[*protocol.RcptTo](),
		goOn[*protocol.Data](), goOn[*protocol.Header](), goOn[*protocol.EndOfHeader](), goOn[*protocol.Body](),
		goOn[*protocol.Unknown](),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("X-Test", "yes")
			return handlers.Accept
		}),
	)
}

func goOn[E handlers.Answered]() handlers.Handler {
	return handlers.On(func(*handlers.Session, E) handlers.Reply { return handlers.Continue })
}

// logText is the log of a server.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve serves f until the test ends, and checks that nothing is left then.
func serve(t *testing.T, cfg Config, f handlers.Factory) (*Server, *logText) {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	fds := openFiles(t)
	if cfg.Listen == nil {
		cfg.Listen = []string{"inet:0@127.0.0.1"}
	}
	text := new(logText)
	cfg.Sessions.Log = slog.New(slog.NewTextHandler(text, nil))
	s, err := Listen(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := errors.Join(s.Shutdown(ctx), <-served); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if n := s.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		goleak.VerifyNone(t, leaks)
		if now := openFiles(t); now > fds {
			t.Errorf("%d files are open, %d were", now, fds)
		}
	})
	return s, text
}

// openFiles returns how many file descriptors are open.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(entries)
}

// spec returns the address of a server for an MTA.
func spec(s *Server) string { return MilterAddr(s.Addrs()[0]) }

// dial connects to a server as an MTA and negotiates.
func dial(t *testing.T, s *Server) *mta.Conn {
	t.Helper()
	c, err := mta.Dial(t.Context(), spec(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, _, err := c.Negotiate(offer); err != nil {
		t.Fatal(err)
	}
	return c
}

// raw connects to a server as anybody.
func raw(t *testing.T, s *Server) net.Conn {
	t.Helper()
	a := s.Addrs()[0]
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	mustDo(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// readAll returns what comes until the server closes the connection.
func readAll(t *testing.T, c net.Conn) []byte {
	t.Helper()
	b, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("the connection was not closed: %v", err)
	}
	return b
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// message does a message over c and returns the final answer and the changes.
func message(t *testing.T, c *mta.Conn) (final protocol.Answer, changes []protocol.Answer) {
	t.Helper()
	for _, cmd := range []protocol.Command{
		&protocol.MailFrom{Addr: protocol.View("<a@example.com>")},
		&protocol.RcptTo{Addr: protocol.View("<b@example.net>")},
		&protocol.Data{},
		&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hi")},
		&protocol.EndOfHeader{},
		&protocol.Body{Chunk: protocol.View("Hello\r\n")},
		&protocol.EndOfMessage{},
	} {
		var err error
		if final, changes, err = c.Do(cmd); err != nil {
			t.Fatalf("%v: %v", cmd.Code(), err)
		}
	}
	return final, changes
}

func tempSocket(t *testing.T) string { return "unix:" + filepath.Join(t.TempDir(), "s") }
