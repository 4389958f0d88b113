package netio

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
	"millstream/protocol/script"
)

// longestWait is how much time a script may take here, where it really passes.
const longestWait = 100 * time.Millisecond

// TestScripts plays the session scripts to a server, over each kind of socket. Those
// that need a server of their own, or more time, are played to sessions alone.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../protocol/testdata/session/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, address := range []string{"inet:0@127.0.0.1", tempSocket(t)} {
		network, _, _ := strings.Cut(address, ":")
		t.Run(network, func(t *testing.T) {
			var now atomic.Pointer[script.Script]
			s, _ := serve(t, Config{Listen: []string{address}}, func(*handlers.Session) handlers.Handler {
				return &scripted{now.Load()}
			})
			for _, file := range files {
				sc, err := script.Load(file)
				if err != nil {
					t.Fatal(err)
				}
				if len(sc.Config()) > 0 || sc.Waits() > longestWait {
					continue
				}
				now.Store(sc)
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playTo(t, s, sc) })
			}
		})
	}
}

// playTo plays a script to a server.
func playTo(t *testing.T, s *Server, sc *script.Script) {
	a := s.Addrs()[0]
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := script.Player{Timeout: patience, Moment: 10 * time.Millisecond}
	_, differences := p.Play(sc, script.NewConn(c))
	for _, d := range differences {
		t.Errorf("%s:%d:\nwant %v\n got %v", sc.Name, d.Line, d.Want, d.Got)
	}
}

// observed are the kinds of events without an answer.
var observed = handlers.Of(handlers.KindEstablished, handlers.KindMacro, handlers.KindResponse,
	handlers.KindMessageProcessed, handlers.KindTimeout, handlers.KindError, handlers.KindFinished)

// scripted is the filter that a script describes.
type scripted struct{ s *script.Script }

// Wants is [handlers.Handler].
func (f *scripted) Wants() (w handlers.Wants) {
	for k := range handlers.KindFinished + 1 {
		if !f.s.Takes(k.String()) {
			continue
		}
		w.Events |= handlers.Of(k)
		if !f.s.Observes(k.String()) {
			w.Replies |= handlers.Of(k) &^ observed
		}
	}
	return w
}

// Handle is [handlers.Handler].
func (f *scripted) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	return perform(s, ev, f.s.On(handlers.KindOf(ev).String(), subject(ev)))
}

// subject returns what a line of a filter can be for.
func subject(ev handlers.Event) string {
	switch e := ev.(type) {
	case *protocol.Connect:
		return e.Host.String()
	case *protocol.Helo:
		return e.Name.String()
	case *protocol.MailFrom:
		return e.Addr.String()
	case *protocol.RcptTo:
		return e.Addr.String()
	case *protocol.Header:
		return e.Name.String()
	}
	return ""
}

// perform does what a script says.
func perform(s *handlers.Session, ev handlers.Event, list []script.Do) handlers.Reply {
	for i, do := range list {
		switch do := do.(type) {
		case script.Reply:
			return reply(do)
		case script.After:
			return handlers.Async(func(ctx context.Context) handlers.Reply {
				t := time.NewTimer(time.Duration(do))
				defer t.Stop()
				select {
				case <-ctx.Done():
					return handlers.Reply{}
				case <-t.C:
					return perform(s, ev, list[i+1:])
				}
			})
		case script.Hang:
			return handlers.Async(func(ctx context.Context) handlers.Reply {
				<-ctx.Done()
				return handlers.Reply{}
			})
		default:
			script.Perform(do, s, ev)
		}
	}
	return handlers.Reply{}
}

var repliesOf = map[protocol.Status]handlers.Reply{
	protocol.StatusContinue: handlers.Continue, protocol.StatusAccept: handlers.Accept,
	protocol.StatusReject: handlers.Reject, protocol.StatusTempFail: handlers.TempFail,
	protocol.StatusDiscard: handlers.Discard, protocol.StatusSkip: handlers.Skip,
	protocol.StatusNoReply: handlers.NoReply, protocol.StatusAllOptions: handlers.AllOptions,
}

func reply(do script.Reply) handlers.Reply {
	r := repliesOf[do.Status]
	if !do.SMTP {
		return r
	}
	var lines []string
	if do.Text != "" {
		lines = []string{do.Text}
	}
	return r.With(do.Code, do.Enhanced, lines...)
}
