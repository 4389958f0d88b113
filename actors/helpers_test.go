package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// offer is what Postfix and Sendmail offer.
var offer = protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}

// samples has a command for each letter of a script. A digit makes another one of
// the same kind.
var samples = map[string]protocol.Command{
	"O":  &protocol.Negotiate{Offer: offer},
	"O0": &protocol.Negotiate{Offer: protocol.Options{Version: 1}},
	"O2": &protocol.Negotiate{Offer: protocol.Options{Version: 2, Actions: 0x3f, Steps: 0x7f}},
	"C":  &protocol.Connect{Host: protocol.View("client.example"), Addr: protocol.Addr{Family: protocol.FamilyUnknown}},
	"H":  &protocol.Helo{Name: protocol.View("client.example")},
	"M":  &protocol.MailFrom{Addr: protocol.View("<a@example.com>")},
	"R":  &protocol.RcptTo{Addr: protocol.View("<b@example.net>")},
	"R2": &protocol.RcptTo{Addr: protocol.View("<c@example.net>")},
	"T":  &protocol.Data{},
	"U":  &protocol.Unknown{Line: protocol.View("HELP")},
	"L":  &protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hi")},
	"N":  &protocol.EndOfHeader{},
	"B":  &protocol.Body{Chunk: protocol.View("Hello\r\n")},
	"E":  &protocol.EndOfMessage{},
	"E1": &protocol.EndOfMessage{Chunk: protocol.View("tail\r\n")},
	"A":  &protocol.Abort{},
	"Q":  &protocol.Quit{},
	"K":  &protocol.QuitNewConnection{},
}

// packets returns the packets of a script, such as "O C H M R E Q". Dx is the
// packet of macros for x.
func packets(script string) (b []byte) {
	for word := range strings.FieldsSeq(script) {
		if stage, ok := strings.CutPrefix(word, "D"); ok {
			b = protocol.NewMacro(protocol.Code(stage[0]), "i", "Q"+stage).Append(b)
			continue
		}
		b = samples[word].Append(b)
	}
	return b
}

// answers decodes what a session has written.
func answers(t testing.TB, b []byte) (list []protocol.Answer) {
	t.Helper()
	for len(b) > 0 {
		code, body, n, err := protocol.Frame(b, 1<<20)
		if err != nil || n == 0 {
			t.Fatalf("output %q: %v", b, err)
		}
		a, err := protocol.DecodeAnswer(code, body)
		if err != nil {
			t.Fatalf("answer %v: %v", code, err)
		}
		list = append(list, a.Clone())
		b = b[n:]
	}
	return list
}

func codesOf(list []protocol.Answer) (s string) {
	for _, a := range list {
		s += string(rune(a.Code))
	}
	return s
}

// quiet is a log that nobody reads.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// everything is all kinds of events.
const everything = handlers.Kinds(1<<(handlers.KindFinished+1) - 2)

// answerable are the kinds of events with an answer.
var answerable = everything &^ handlers.Of(handlers.KindEstablished, handlers.KindMacro, handlers.KindResponse,
	handlers.KindMessageProcessed, handlers.KindTimeout, handlers.KindError, handlers.KindFinished)

// brief is all events but those that tell of the same thing again.
var brief = everything &^ handlers.Of(handlers.KindEstablished, handlers.KindMacro, handlers.KindResponse,
	handlers.KindMessageProcessed)

// replies has a function for each kind of event that a test has a reply for.
type replies map[handlers.Kind]func(*handlers.Session, handlers.Event) handlers.Reply

// always returns a function that answers r.
func always(r handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
	return func(*handlers.Session, handlers.Event) handlers.Reply { return r }
}

// A probe is a handler that notes what it is told of, and the session that it
// handles.
type probe struct {
	*Offline
	t       *testing.T
	wants   handlers.Wants
	replies replies

	mu   sync.Mutex
	told []string
}

// newProbe returns a session whose handler takes events of the given kinds and
// answers those that can be answered. It is for a bubble.
func newProbe(t *testing.T, cfg Config, takes handlers.Kinds, r replies) *probe {
	t.Helper()
	p := &probe{t: t, wants: handlers.Wants{Events: takes, Replies: takes & answerable}, replies: r}
	p.start(cfg, handlers.Shared(p))
	return p
}

// start opens the session.
func (p *probe) start(cfg Config, f handlers.Factory) {
	p.t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet
	}
	var err error
	if p.Offline, err = NewOffline(cfg, f); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.end)
}

// end ends the session, however it stands: nothing of it must be left.
func (p *probe) end() {
	p.HangUp(nil)
	time.Sleep(time.Hour)
	if n := p.sys.Len(); n != 0 {
		p.t.Errorf("%d sessions are left", n)
	}
	select {
	case <-p.sys.workers.idle():
	default:
		p.t.Error("functions are still running")
	}
}

// Wants is [handlers.Handler].
func (p *probe) Wants() handlers.Wants { return p.wants }

// Handle is [handlers.Handler].
func (p *probe) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	p.note(nameOf(ev))
	if f := p.replies[handlers.KindOf(ev)]; f != nil {
		return f(s, ev)
	}
	return handlers.Reply{}
}

// note adds a line to what was told.
func (p *probe) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, line)
}

// events returns what was told since the last call.
func (p *probe) events() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := strings.Join(p.told, " ")
	p.told = nil
	return lines
}

// feed sends a script and returns the codes of what is answered to it, when
// nothing moves any more.
func (p *probe) feed(script string) string {
	p.t.Helper()
	_ = p.Feed(packets(script))
	return p.settled()
}

// settled returns the codes of what is answered when nothing moves any more.
func (p *probe) settled() string {
	p.t.Helper()
	synctest.Wait()
	return p.output()
}

// after returns the codes of what is answered within a time.
func (p *probe) after(d time.Duration) string {
	p.t.Helper()
	time.Sleep(d)
	return p.settled()
}

func (p *probe) output() string {
	p.t.Helper()
	return codesOf(answers(p.t, p.Output()))
}

// want compares two texts.
func want(t testing.TB, what, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Errorf("%s:\n got %s\nwant %s", what, got, wanted)
	}
}

// nameOf returns a word for an event, with what matters of it.
func nameOf(ev handlers.Event) string {
	name := handlers.KindOf(ev).String()
	switch e := ev.(type) {
	case *handlers.Abort:
		return fmt.Sprintf("%s(%v)", name, e.State)
	case *handlers.Response:
		silent := ""
		if e.Silent {
			silent = ",silent"
		}
		return fmt.Sprintf("%s(%v,%v%s)", name, e.To, e.Status, silent)
	case *handlers.Result:
		return fmt.Sprintf("%s(%v)", name, e.Status)
	case *handlers.Failure:
		return fmt.Sprintf("%s(%v,%s)", name, e.During, classOf(e.Err))
	case *handlers.Finished:
		if e.Err != nil {
			return fmt.Sprintf("%s(%s)", name, classOf(e.Err))
		}
	case *protocol.Macro:
		return fmt.Sprintf("%s(%c)", name, e.Stage)
	}
	return name
}

// classOf returns a word for an error.
func classOf(err error) string {
	for _, c := range []struct {
		err  error
		name string
	}{
		{protocol.ErrStatusNotAllowed, "status"},
		{protocol.ErrInvalidCode, "code"},
		{protocol.ErrTooMany, "too-many"},
		{protocol.ErrUnexpectedEnd, "end"},
		{protocol.ErrSequence, "sequence"},
		{protocol.ErrProtocol, "protocol"},
		{protocol.ErrNegotiation, "negotiation"},
		{protocol.ErrInvalidAction, "action"},
		{protocol.ErrEmpty, "empty"},
		{handlers.ErrTimeout, "timeout"},
		{handlers.ErrSessionClosed, "closed"},
		{handlers.ErrIO, "io"},
		{handlers.ErrNull, "null"},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	if _, ok := errors.AsType[*handlers.PanicError](err); ok {
		return "panic"
	}
	if _, ok := errors.AsType[*handlers.SlowError](err); ok {
		return "slow"
	}
	return err.Error()
}

// sleeper returns work that takes some time, or until it is not wanted any more.
func sleeper(d time.Duration) func(context.Context) handlers.Reply {
	return func(ctx context.Context) handlers.Reply {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return handlers.Reply{}
	}
}
