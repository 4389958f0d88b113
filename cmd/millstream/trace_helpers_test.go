package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/netio/mta"
	"millstream/protocol"
)

// traceServer serves a filter that refuses a sender, and adds a header that is another
// one each time. It returns the server and the path of its control socket.
func traceServer(t *testing.T) (s *served, control string) {
	t.Helper()
	noVariables(t)
	control = filepath.Join(t.TempDir(), "c")
	s = startServe(t, serveFlags{control: control}, func(*slog.Logger) handlers.Handler {
		return handlers.Chain(
			handlers.On(func(_ *handlers.Session, c *protocol.MailFrom) handlers.Reply {
				if string(c.Mailbox()) == "spam@example.com" {
					return handlers.Reject.With(550, "5.7.1", "not welcome")
				}
				return handlers.Continue
			}),
			handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Continue }),
			handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply { return handlers.Continue }),
			handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
				m.AddHeader("X-Seen", fmt.Sprintf("%s; session=%d; at=%s", s.Macro("i"), s.ID(), time.Now().Format(time.RFC3339Nano)))
				return handlers.Accept
			}),
			handlers.Need(handlers.KindConnect),
		)
	})
	return s, control
}

// tracing is a trace under way.
type tracing struct {
	cancel context.CancelFunc
	done   chan error
	ready  chan struct{}
	once   sync.Once
	mu     sync.Mutex
	out    bytes.Buffer
	errOut bytes.Buffer
}

// Write takes what is printed.
func (r *tracing) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(b)
}

// printed returns what was printed so far, without the times.
func (r *tracing) printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return regexp.MustCompile(`(?m)^( +\d+) +\d+\.\d{3}  `).ReplaceAllString(r.out.String(), "$1 ")
}

// asides takes what is said to the side.
type asides struct{ r *tracing }

func (a asides) Write(b []byte) (int, error) {
	a.r.mu.Lock()
	defer a.r.mu.Unlock()
	a.r.once.Do(func() { close(a.r.ready) })
	return a.r.errOut.Write(b)
}

// startTrace starts a trace, and returns when sessions are heard.
func startTrace(t *testing.T, f traceFlags) *tracing {
	t.Helper()
	r := &tracing{done: make(chan error, 1), ready: make(chan struct{})}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	t.Cleanup(r.cancel)
	go func() { r.done <- runTrace(ctx, &f, r, asides{r}) }()
	select {
	case <-r.ready:
	case err := <-r.done:
		t.Fatal(err)
	}
	return r
}

// wait waits until the trace has ended by itself.
func (r *tracing) wait(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatalf("the trace does not end:\n%s", r.printed())
	}
}

// converse sends commands and waits for their answers, and then quits.
func converse(ctx context.Context, socket string, commands ...protocol.Command) error {
	c, err := mta.Dial(ctx, socket)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	offer := protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepNoHelo | protocol.StepSkip} // all is answered
	if _, _, err := c.Negotiate(offer); err != nil {
		return err
	}
	for _, cmd := range commands {
		switch cmd.(type) {
		case *protocol.Macro, *protocol.Abort:
			err = c.Send(cmd)
		default:
			_, _, err = c.Do(cmd)
		}
		if err != nil {
			return fmt.Errorf("%v: %w", cmd.Code(), err)
		}
	}
	return nil
}

// tracedMail is what is sent where a trace is tested.
func tracedMail(from string, body []byte) []protocol.Command {
	return []protocol.Command{
		&protocol.Connect{Host: protocol.View("client.example"), Addr: protocol.Addr{Family: protocol.FamilyUnix, Path: "/mta"}},
		&protocol.MailFrom{Addr: protocol.View("<spam@example.com>")},
		&protocol.Abort{},
		protocol.NewMacro(protocol.CodeMailFrom, "i", "Q1"),
		&protocol.MailFrom{Addr: protocol.View(from), Params: protocol.NewParams("SIZE=7")},
		&protocol.RcptTo{Addr: protocol.View("<b@example.net>")},
		&protocol.Body{Chunk: body},
		&protocol.EndOfMessage{},
	}
}
